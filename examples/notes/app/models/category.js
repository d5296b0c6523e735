const { DataTypes } = require("sequelize");

module.exports = (sequelize) =>
  sequelize.define("category", {
    slug: { type: DataTypes.STRING(50), allowNull: false },
    name: { type: DataTypes.STRING(100), allowNull: false },
    description: { type: DataTypes.TEXT, allowNull: false },
    position: { type: DataTypes.INTEGER, allowNull: false },
  });
