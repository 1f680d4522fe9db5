-- Places under a daily cap that are still held, whatever day they were given on.
create index reception_turn_held on reception_turn (code, until, staff) where added = 0;
