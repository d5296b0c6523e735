"use strict";

// Postgres indexes no foreign key by itself. These are the ones the pages and the moderators' lists read by.
const indexes = [
  { table: "threads", name: "threads_category_updated", fields: ["category_id", "updated_at"] },
  { table: "threads", name: "threads_user", fields: ["user_id"] },
  { table: "posts", name: "posts_thread_created", fields: ["thread_id", "created_at"] },
  { table: "posts", name: "posts_user", fields: ["user_id"] },
  { table: "notifications", name: "notifications_unread", fields: ["user_id", "created_at"], where: { read_at: null } },
  { table: "reports", name: "reports_open", fields: ["created_at"], where: { status: "open" } },
];

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      for (const { table, ...index } of indexes) await queryInterface.addIndex(table, { ...index, transaction });
    }),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      for (const { table, name } of indexes) await queryInterface.removeIndex(table, name, { transaction });
    }),
};
