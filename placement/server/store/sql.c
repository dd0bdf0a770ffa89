#include "placement/server/store/sql.h"

/* Times are seconds since 1970. Foreign keys are declared for --check; the server
 * itself, which knows all rows, does not have SQLite test them on each write. */
const char sql_schema[] =
    "CREATE TABLE writes (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);"
    "CREATE TABLE resource_classes ("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, modified INTEGER NOT NULL);"
    "CREATE TABLE traits ("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, modified INTEGER NOT NULL);"
    "CREATE TABLE aggregates (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE);"
    "CREATE TABLE providers ("
    " id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL,"
    " parent_id INTEGER REFERENCES providers (id), modified INTEGER NOT NULL);"
    "CREATE INDEX providers_of_parent ON providers (parent_id);"
    "CREATE TABLE inventories ("
    " provider_id INTEGER NOT NULL REFERENCES providers (id),"
    " class_id INTEGER NOT NULL REFERENCES resource_classes (id),"
    " total INTEGER NOT NULL, reserved INTEGER NOT NULL, min_unit INTEGER NOT NULL,"
    " max_unit INTEGER NOT NULL, step_size INTEGER NOT NULL,"
    " allocation_ratio REAL NOT NULL, modified INTEGER NOT NULL,"
    " PRIMARY KEY (provider_id, class_id)) WITHOUT ROWID;"
    "CREATE TABLE provider_traits ("
    " provider_id INTEGER NOT NULL REFERENCES providers (id),"
    " trait_id INTEGER NOT NULL REFERENCES traits (id),"
    " PRIMARY KEY (provider_id, trait_id)) WITHOUT ROWID;"
    "CREATE TABLE provider_aggregates ("
    " provider_id INTEGER NOT NULL REFERENCES providers (id),"
    " aggregate_id INTEGER NOT NULL REFERENCES aggregates (id),"
    " PRIMARY KEY (provider_id, aggregate_id)) WITHOUT ROWID;"
    "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE consumer_types (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE consumers ("
    " id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL,"
    " project_id INTEGER NOT NULL REFERENCES projects (id),"
    " user_id INTEGER NOT NULL REFERENCES users (id),"
    " type_id INTEGER REFERENCES consumer_types (id));"
    "CREATE TABLE allocations ("
    " consumer_id INTEGER NOT NULL REFERENCES consumers (id),"
    " provider_id INTEGER NOT NULL, class_id INTEGER NOT NULL,"
    " used INTEGER NOT NULL, created INTEGER NOT NULL,"
    " PRIMARY KEY (consumer_id, provider_id, class_id),"
    " FOREIGN KEY (provider_id, class_id)"
    " REFERENCES inventories (provider_id, class_id)) WITHOUT ROWID;";

const char *const sql_texts[SQL_STATEMENT_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_TOUCH] = "INSERT OR REPLACE INTO writes VALUES (1, unixepoch())",

    [SQL_ADD_STANDARD_CLASS] =
        "INSERT OR IGNORE INTO resource_classes VALUES (?, ?, unixepoch())",
    [SQL_ADD_STANDARD_TRAIT] =
        "INSERT OR IGNORE INTO traits (name, modified) VALUES (?, unixepoch())",
    [SQL_INSERT_CLASS] = "INSERT INTO resource_classes VALUES (?, ?, ?)",
    [SQL_RENAME_CLASS] =
        "UPDATE resource_classes SET name = ?2, modified = ?3 WHERE id = ?1",
    [SQL_DELETE_CLASS] = "DELETE FROM resource_classes WHERE id = ?",
    [SQL_INSERT_TRAIT] = "INSERT INTO traits (name, modified) VALUES (?, ?)",
    [SQL_DELETE_TRAIT] = "DELETE FROM traits WHERE id = ?",
    [SQL_INSERT_AGGREGATE] = "INSERT INTO aggregates (uuid) VALUES (?)",

    [SQL_INSERT_PROVIDER] =
        "INSERT INTO providers (uuid, name, generation, parent_id, modified)"
        " VALUES (?, ?, 0, ?, ?)",
    [SQL_UPDATE_PROVIDER] =
        "UPDATE providers SET name = ?2, parent_id = ?3, modified = ?4 WHERE id = ?1",
    [SQL_TOUCH_PROVIDER] = "UPDATE providers SET modified = ?2 WHERE id = ?1",
    [SQL_SET_GENERATION] =
        "UPDATE providers SET generation = ?2, modified = ?3 WHERE id = ?1",
    [SQL_DELETE_PROVIDER] = "DELETE FROM providers WHERE id = ?",
    [SQL_DELETE_PROVIDER_INVENTORIES] = "DELETE FROM inventories WHERE provider_id = ?",
    [SQL_DELETE_PROVIDER_TRAITS] = "DELETE FROM provider_traits WHERE provider_id = ?",
    [SQL_DELETE_PROVIDER_AGGREGATES] =
        "DELETE FROM provider_aggregates WHERE provider_id = ?",

    [SQL_PUT_INVENTORY] =
        "INSERT OR REPLACE INTO inventories VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_DELETE_INVENTORY] =
        "DELETE FROM inventories WHERE provider_id = ? AND class_id = ?",
    [SQL_INSERT_PROVIDER_TRAIT] = "INSERT INTO provider_traits VALUES (?, ?)",
    [SQL_INSERT_PROVIDER_AGGREGATE] = "INSERT INTO provider_aggregates VALUES (?, ?)",

    [SQL_INSERT_PROJECT] = "INSERT INTO projects (name) VALUES (?)",
    [SQL_INSERT_USER] = "INSERT INTO users (name) VALUES (?)",
    [SQL_INSERT_CONSUMER_TYPE] = "INSERT INTO consumer_types (name) VALUES (?)",
    [SQL_INSERT_CONSUMER] =
        "INSERT INTO consumers (uuid, generation, project_id, user_id, type_id)"
        " VALUES (?, ?, ?, ?, ?)",
    [SQL_UPDATE_CONSUMER] =
        "UPDATE consumers SET project_id = ?2, user_id = ?3, type_id = ?4,"
        " generation = ?5 WHERE id = ?1",
    [SQL_DELETE_CONSUMER] = "DELETE FROM consumers WHERE id = ?",
    [SQL_INSERT_ALLOCATION] = "INSERT INTO allocations VALUES (?, ?, ?, ?, ?)",
    [SQL_DELETE_ALLOCATIONS] = "DELETE FROM allocations WHERE consumer_id = ?",

    [SQL_LOAD_CLASSES] = "SELECT id, name, modified FROM resource_classes ORDER BY id",
    [SQL_LOAD_TRAITS] = "SELECT id, name, modified FROM traits ORDER BY id",
    [SQL_LOAD_AGGREGATES] = "SELECT id, uuid FROM aggregates",
    [SQL_LOAD_PROVIDERS] =
        "SELECT id, uuid, name, generation, modified FROM providers ORDER BY id",
    [SQL_LOAD_PARENTS] =
        "SELECT id, parent_id FROM providers WHERE parent_id IS NOT NULL",
    [SQL_LOAD_INVENTORIES] =
        "SELECT provider_id, class_id, total, reserved, min_unit, max_unit, step_size,"
        " allocation_ratio, modified FROM inventories ORDER BY provider_id, class_id",
    [SQL_LOAD_PROVIDER_TRAITS] =
        "SELECT provider_id, trait_id FROM provider_traits ORDER BY 1, 2",
    [SQL_LOAD_PROVIDER_AGGREGATES] =
        "SELECT p.provider_id, a.uuid FROM provider_aggregates p"
        " JOIN aggregates a ON a.id = p.aggregate_id ORDER BY 1, a.id",
    [SQL_LOAD_PROJECTS] = "SELECT id, name FROM projects",
    [SQL_LOAD_USERS] = "SELECT id, name FROM users",
    [SQL_LOAD_CONSUMER_TYPES] = "SELECT id, name FROM consumer_types",
    [SQL_LOAD_CONSUMERS] =
        "SELECT c.id, c.uuid, c.generation, p.name, u.name, t.name FROM consumers c"
        " JOIN projects p ON p.id = c.project_id JOIN users u ON u.id = c.user_id"
        " LEFT JOIN consumer_types t ON t.id = c.type_id ORDER BY c.id",
    [SQL_LOAD_ALLOCATIONS] =
        "SELECT c.uuid, a.provider_id, a.class_id, a.used, a.created"
        " FROM allocations a JOIN consumers c ON c.id = a.consumer_id"
        " ORDER BY a.consumer_id",

    [SQL_CHECK_REFERENCES] = "SELECT * FROM pragma_foreign_key_check",
};
