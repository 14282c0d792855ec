// The departments of metropolitan France and their inhabitants in thousands: INSEE, legal populations 2021, rounded and
// written down from memory of the published table; single figures may be off by a percent, which changes nothing here.
// Overseas departments are left out: they are regions and departments at once and would need markets of their own.
#include "people.h"

const struct department DEPARTMENTS[DEPARTMENT_COUNT] = {
    {"FR-01", 663},  {"FR-02", 525},  {"FR-03", 335},  {"FR-04", 166},  {"FR-05", 141},  {"FR-06", 1104},
    {"FR-07", 331},  {"FR-08", 267},  {"FR-09", 154},  {"FR-10", 311},  {"FR-11", 377},  {"FR-12", 279},
    {"FR-13", 2057}, {"FR-14", 700},  {"FR-15", 144},  {"FR-16", 351},  {"FR-17", 661},  {"FR-18", 299},
    {"FR-19", 239},  {"FR-2A", 162},  {"FR-2B", 184},  {"FR-21", 535},  {"FR-22", 606},  {"FR-23", 115},
    {"FR-24", 413},  {"FR-25", 549},  {"FR-26", 521},  {"FR-27", 599},  {"FR-28", 431},  {"FR-29", 921},
    {"FR-30", 756},  {"FR-31", 1434}, {"FR-32", 192},  {"FR-33", 1654}, {"FR-34", 1201}, {"FR-35", 1099},
    {"FR-36", 217},  {"FR-37", 615},  {"FR-38", 1284}, {"FR-39", 259},  {"FR-40", 422},  {"FR-41", 327},
    {"FR-42", 768},  {"FR-43", 228},  {"FR-44", 1457}, {"FR-45", 684},  {"FR-46", 175},  {"FR-47", 330},
    {"FR-48", 77},   {"FR-49", 825},  {"FR-50", 495},  {"FR-51", 564},  {"FR-52", 170},  {"FR-53", 306},
    {"FR-54", 731},  {"FR-55", 181},  {"FR-56", 769},  {"FR-57", 1050}, {"FR-58", 201},  {"FR-59", 2611},
    {"FR-60", 830},  {"FR-61", 276},  {"FR-62", 1461}, {"FR-63", 663},  {"FR-64", 694},  {"FR-65", 231},
    {"FR-66", 487},  {"FR-67", 1153}, {"FR-68", 769},  {"FR-69", 1893}, {"FR-70", 233},  {"FR-71", 549},
    {"FR-72", 566},  {"FR-73", 440},  {"FR-74", 842},  {"FR-75", 2133}, {"FR-76", 1257}, {"FR-77", 1438},
    {"FR-78", 1456}, {"FR-79", 375},  {"FR-80", 567},  {"FR-81", 393},  {"FR-82", 263},  {"FR-83", 1095},
    {"FR-84", 563},  {"FR-85", 695},  {"FR-86", 439},  {"FR-87", 371},  {"FR-88", 360},  {"FR-89", 333},
    {"FR-90", 140},  {"FR-91", 1313}, {"FR-92", 1635}, {"FR-93", 1669}, {"FR-94", 1416}, {"FR-95", 1257},
};
