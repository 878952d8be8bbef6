import { maxAheadS } from "../sql/point-writer.ts";

/**
 * What ../sqlite/point-writer.ts does statement by statement, as functions of the database: a request's values take one
 * way there and back. Who writes holds the dataport's row, so that each value of an alias gets a second of its own
 * whichever process it comes through.
 */
export const pointFunctions = `
  CREATE FUNCTION hold_dataport(p_client bigint, p_alias text, p_now bigint, p_create boolean) RETURNS dataport
  LANGUAGE plpgsql AS $$
  DECLARE
    held dataport;
  BEGIN
    SELECT * INTO held FROM dataport WHERE client_id = p_client AND alias = p_alias FOR NO KEY UPDATE;
    IF NOT FOUND AND p_create THEN
      -- Somebody else may make it at the same moment.
      INSERT INTO dataport (client_id, rid, alias, name, format, created_at)
        VALUES (p_client, left(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 40),
          p_alias, p_alias, 'string', p_now)
        ON CONFLICT (client_id, alias) DO NOTHING;
      SELECT * INTO held FROM dataport WHERE client_id = p_client AND alias = p_alias FOR NO KEY UPDATE;
    END IF;
    RETURN held;
  END $$;

  CREATE FUNCTION store_dataport(p_id bigint, p_ts bigint, p_points bigint, p_keep bigint, p_prune_beyond bigint)
  RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    IF p_points > p_prune_beyond THEN
      DELETE FROM point WHERE dataport_id = p_id AND ts IS DISTINCT FROM p_ts AND ts < (
        SELECT ts FROM point WHERE dataport_id = p_id ORDER BY ts DESC LIMIT 1 OFFSET p_keep - 1);
      SELECT count(*) INTO p_points FROM point WHERE dataport_id = p_id;
    END IF;
    UPDATE dataport SET current_ts = p_ts, points = p_points WHERE id = p_id;
  END $$;

  CREATE FUNCTION write_value(
    p_client bigint, p_alias text, p_value bytea, p_now bigint, p_create boolean, p_keep bigint, p_prune_beyond bigint
  ) RETURNS bigint LANGUAGE plpgsql AS $$
  DECLARE
    held dataport := hold_dataport(p_client, p_alias, p_now, p_create);
    stamp bigint;
  BEGIN
    IF held.id IS NULL THEN
      RETURN NULL;
    END IF;
    stamp := greatest(p_now, held.current_ts + 1);
    LOOP
      INSERT INTO point (dataport_id, ts, value) VALUES (held.id, stamp, p_value) ON CONFLICT DO NOTHING;
      EXIT WHEN FOUND;
      -- Only a record ahead of the clock can be in the way.
      stamp := stamp + 1;
    END LOOP;
    PERFORM store_dataport(held.id, stamp, held.points + 1, p_keep, p_prune_beyond);
    RETURN stamp;
  END $$;

  -- In one order, so that two requests of one client never wait for each other.
  CREATE FUNCTION write_read(
    p_client bigint, p_aliases text[], p_values bytea[], p_reads text[], p_now bigint,
    p_create boolean, p_keep bigint, p_prune_beyond bigint
  ) RETURNS TABLE (alias text, ts bigint, value bytea) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  BEGIN
    PERFORM write_value(p_client, given.alias, given.value, p_now, p_create, p_keep, p_prune_beyond)
      FROM (SELECT * FROM unnest(p_aliases, p_values) AS u(alias, value) ORDER BY u.alias COLLATE "C") AS given;
    RETURN QUERY SELECT dataport.alias::text, point.ts, point.value
      FROM dataport JOIN point ON point.dataport_id = dataport.id AND point.ts = dataport.current_ts
      WHERE dataport.client_id = p_client AND dataport.alias = ANY(p_reads);
  END $$;

  CREATE FUNCTION record_values(
    p_client bigint, p_alias text, p_times bigint[], p_values bytea[], p_now bigint,
    p_create boolean, p_keep bigint, p_prune_beyond bigint
  ) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    held dataport := hold_dataport(p_client, p_alias, p_now, p_create);
    added bigint;
    newest bigint;
  BEGIN
    IF held.id IS NULL THEN
      RETURN;
    END IF;
    WITH new AS (
      INSERT INTO point (dataport_id, ts, value) SELECT held.id, u.ts, u.value FROM unnest(p_times, p_values) AS u(ts, value)
        ON CONFLICT DO NOTHING RETURNING ts
    )
    SELECT count(*), max(ts) FILTER (WHERE ts <= p_now + ${maxAheadS}) INTO added, newest FROM new;
    PERFORM store_dataport(held.id, greatest(held.current_ts, newest), held.points + added, p_keep, p_prune_beyond);
  END $$;
`;
