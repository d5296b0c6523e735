const { DataTypes } = require("sequelize");

module.exports = (sequelize) =>
  sequelize.define("user", {
    username: { type: DataTypes.STRING(30), allowNull: false },
    role: { type: DataTypes.STRING(20), allowNull: false, defaultValue: "member" },
    bannedAt: { type: DataTypes.DATE },
  });
