-- What the database itself tells as MessagePack: texts of a body, a message that could not be delivered, an endpoint that is disabled.
CREATE FUNCTION docket_pack_text(words text, most integer) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '\xda'::bytea || int2send(octet_length(left(coalesce(words, ''), most))::smallint) || convert_to(left(coalesce(words, ''), most), 'UTF8');
CREATE FUNCTION docket_undelivered_body(id bigint, channel text, address text, kind text, reply text) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '\x85'::bytea || docket_pack_text('delivery', 20) || '\xd3'::bytea || int8send(id) || docket_pack_text('channel', 20) || docket_pack_text(channel, 40)
        || docket_pack_text('address', 20) || docket_pack_text(address, 512) || docket_pack_text('about', 20) || docket_pack_text(kind, 80)
        || docket_pack_text('reply', 20) || docket_pack_text(reply, 1024);
CREATE FUNCTION docket_endpoint_body(address text, reply text) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '\x82'::bytea || docket_pack_text('address', 20) || docket_pack_text(split_part(address, '?', 1), 512)
        || docket_pack_text('reply', 20) || docket_pack_text(reply, 200);
