// The trees of support_trees.h. `health` is sensitive.
#include "support_trees.h"

#define NONE TREE_NONE

static const uint32_t CATEGORY_PARENT[] = {NONE, HOME, KITCHEN, KITCHEN, HOME, GARDEN, NONE, HEALTH, CARE};
static const uint32_t CATEGORY_LAST[] = {MOWER, KETTLE, COFFEE, KETTLE, MOWER, MOWER, TEST_KIT, TEST_KIT, TEST_KIT};
static const uint8_t CATEGORY_DEPTH[] = {1, 2, 3, 3, 2, 3, 1, 2, 3};
static const uint8_t CATEGORY_FLAGS[] = {0, 0, 0, 0, 0, 0, TREE_SENSITIVE, 0, 0};

static const uint32_t REGION_PARENT[] = {NONE, FR, FR_BRE, FR_BRE, FR, FR_IDF, NONE, DE, DE};
static const uint32_t REGION_LAST[] = {FR_75, FR_29, FR_56, FR_29, FR_75, FR_75, DE_BE, DE_BY, DE_BE};
static const uint8_t REGION_DEPTH[] = {1, 2, 3, 3, 2, 3, 1, 2, 2};
static const uint8_t REGION_FLAGS[REGION_COUNT] = {0};

static const struct tree CATEGORIES = {CATEGORY_COUNT, CATEGORY_PARENT, CATEGORY_LAST, CATEGORY_DEPTH, CATEGORY_FLAGS};
static const struct tree REGIONS = {REGION_COUNT, REGION_PARENT, REGION_LAST, REGION_DEPTH, REGION_FLAGS};

const struct trees TREES = {&CATEGORIES, &REGIONS};
