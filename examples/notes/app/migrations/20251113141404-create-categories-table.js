"use strict";

module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.createTable(
        "categories",
        {
          id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
          slug: { type: Sequelize.STRING(50), allowNull: false, unique: true },
          name: { type: Sequelize.STRING(100), allowNull: false },
          description: { type: Sequelize.TEXT, allowNull: false, defaultValue: "" },
          position: { type: Sequelize.INTEGER, allowNull: false, defaultValue: 0 },
          created_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
          updated_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
        },
        { transaction },
      );
      // A forum without a category takes no thread, and the application has no page to make one.
      await queryInterface.bulkInsert(
        "categories",
        [
          { slug: "general", name: "General", description: "Anything that fits nowhere else.", position: 1 },
          { slug: "questions", name: "Questions", description: "Ask, and answer.", position: 2 },
          { slug: "announcements", name: "Announcements", description: "News about the forum.", position: 3 },
        ],
        { transaction },
      );
    }),

  down: (queryInterface) => queryInterface.dropTable("categories"),
};
