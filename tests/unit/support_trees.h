// Two small trees for tests of the core, with names for their nodes.
#ifndef OYEZ_TESTS_SUPPORT_TREES_H
#define OYEZ_TESTS_SUPPORT_TREES_H

#include "broker/core/filter.h"

enum { HOME, KITCHEN, COFFEE, KETTLE, GARDEN, MOWER, HEALTH, CARE, TEST_KIT, CATEGORY_COUNT };
enum { FR, FR_BRE, FR_56, FR_29, FR_IDF, FR_75, DE, DE_BY, DE_BE, REGION_COUNT }; // DE has no middle level

extern const struct trees TREES;

#endif
