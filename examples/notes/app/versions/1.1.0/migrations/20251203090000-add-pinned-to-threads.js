"use strict";

// The previous version keeps serving meanwhile: a new column with a constant default rewrites no row, and the previous
// version, which does not know it, goes on inserting threads (they are not pinned).
module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.addColumn(
        "threads",
        "pinned",
        { type: Sequelize.BOOLEAN, allowNull: false, defaultValue: false },
        { transaction },
      );
      await queryInterface.addIndex("threads", { name: "threads_pinned", fields: ["pinned", "updated_at"], transaction });
    }),

  // The index goes with its column.
  down: (queryInterface) => queryInterface.removeColumn("threads", "pinned"),
};
