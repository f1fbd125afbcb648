package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.redis.RedisScript;
import java.util.Locale;

/** The transitions of the queue, each one a Lua file of its own that says what it does. */
enum Script {
  HEADER(Tag.INDEX),
  UPGRADE(Tag.INDEX),
  REGISTER(Tag.INDEX),
  RESERVE(Tag.INDEX),
  BOOK(Tag.INDEX),
  RETIRE(Tag.INDEX),
  DUE(Tag.INDEX),
  DOOM(Tag.INDEX),
  OWNER(Tag.INDEX),
  UNLIST(Tag.INDEX),
  SERVE(Tag.INDEX),
  ANNOUNCE(Tag.INDEX),
  ATTEND(Tag.INDEX),
  UNSEEN(Tag.INDEX),
  RETRACT(Tag.INDEX),
  SWEEP(Tag.INDEX),

  CREATE(Tag.JOB),
  OPEN(Tag.JOB),
  FOLLOW(Tag.JOB),
  CONCLUDE(Tag.JOB),
  APPEND(Tag.JOB),
  SEAL(Tag.JOB),
  ADJUST(Tag.JOB),
  TURN(Tag.JOB),
  REQUEUE(Tag.JOB),
  LOSE(Tag.JOB),
  CANCEL(Tag.JOB),
  DESCRIBE(Tag.JOB),
  WAITING(Tag.JOB),
  UNDELIVERED(Tag.JOB),
  LOOSE_ENDS(Tag.JOB),

  ENQUEUE(Tag.BUCKET),
  LEASE(Tag.BUCKET),
  SETTLE(Tag.BUCKET),
  FINISH(Tag.BUCKET),
  RENEW(Tag.BUCKET),
  CLAIM(Tag.BUCKET),
  RETRY(Tag.BUCKET),
  DROP_RETRIES(Tag.BUCKET),
  RELEASE(Tag.BUCKET),
  RECLAIM(Tag.BUCKET),
  EXPIRE(Tag.BUCKET),
  RESCHEDULE(Tag.BUCKET),
  FORGET(Tag.BUCKET),
  CHECK(Tag.BUCKET),
  RANK(Tag.BUCKET),
  RECOUNT(Tag.BUCKET),
  VANISH(Tag.BUCKET),
  BACKLOG(Tag.BUCKET),
  LINE(Tag.BUCKET);

  /** What shares a hash tag. */
  enum Tag {
    INDEX,
    JOB,
    BUCKET
  }

  private final Tag tag;
  private final RedisScript lua;

  Script(Tag tag) {
    this.tag = tag;
    this.lua = RedisScript.load(Script.class, name().toLowerCase(Locale.ROOT));
  }

  /** Whose keys the script gets. */
  Tag tag() {
    return tag;
  }

  RedisScript lua() {
    return lua;
  }
}
