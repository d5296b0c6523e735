const { DataTypes } = require("sequelize");

module.exports = (sequelize) =>
  Object.assign(
    sequelize.define("thread", {
      title: { type: DataTypes.STRING(200), allowNull: false },
      pinned: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
    }),
    {
      // The order of every list of threads: the pinned ones first, then the latest activity.
      listOrder: [
        ["pinned", "DESC"],
        ["updatedAt", "DESC"],
        ["id", "DESC"],
      ],
    },
  );
