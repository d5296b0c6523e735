-- Whether any table of this database is the owner's, as t or f.
SELECT EXISTS (SELECT FROM pg_class WHERE relkind IN ('r', 'p') AND relowner = to_regrole(quote_ident(:'owner')));
