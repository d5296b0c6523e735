const { sequelize } = require("../db");
const Category = require("./category")(sequelize);
const Post = require("./post")(sequelize);
const Thread = require("./thread")(sequelize);
const User = require("./user")(sequelize);

Category.hasMany(Thread, { foreignKey: { name: "categoryId", allowNull: false } });
Thread.belongsTo(Category, { foreignKey: { name: "categoryId", allowNull: false } });
Thread.belongsTo(User, { foreignKey: "userId" });
Thread.hasMany(Post, { foreignKey: { name: "threadId", allowNull: false } });
Post.belongsTo(Thread, { foreignKey: { name: "threadId", allowNull: false } });
Post.belongsTo(User, { foreignKey: "userId" });

module.exports = { Category, Post, Thread, User };
