"use strict";

// The mistake of this version: the index names a column that does not exist. It fails after the column was added; the
// transaction takes that back, and no row in SequelizeMeta says that anything ran. So the corrected file keeps the name.
module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.addColumn(
        "threads",
        "pinned",
        { type: Sequelize.BOOLEAN, allowNull: false, defaultValue: false },
        { transaction },
      );
      await queryInterface.addIndex("threads", { name: "threads_pinned", fields: ["pined", "updated_at"], transaction });
    }),

  // The index goes with its column.
  down: (queryInterface) => queryInterface.removeColumn("threads", "pinned"),
};
