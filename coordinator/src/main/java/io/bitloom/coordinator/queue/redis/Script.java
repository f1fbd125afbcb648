package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.redis.RedisScript;
import java.util.Locale;

/** The transitions of the queue, each one a Lua file of its own that says what it does. */
enum Script {
  HEADER(Tag.INDEX),
  UPGRADE(Tag.INDEX, Told.CALLERS),
  REGISTER(Tag.INDEX, Told.CALLERS),
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
  REVISE(Tag.INDEX, Told.CALLERS),
  POOL(Tag.INDEX),
  POOLS(Tag.INDEX),
  SWEEP(Tag.INDEX),
  REPORT(Tag.INDEX),
  HOOK_CLAIM(Tag.INDEX),
  HOOK_RELEASE(Tag.INDEX),
  HOOK_WAKE(Tag.INDEX),
  TAKE_ON(Tag.INDEX),
  KEEP(Tag.INDEX),

  CREATE(Tag.JOB, Told.CALLERS),
  OPEN(Tag.JOB, Told.CALLERS),
  FOLLOW(Tag.JOB),
  CONCLUDE(Tag.JOB),
  APPEND(Tag.JOB, Told.CALLERS),
  SEAL(Tag.JOB, Told.CALLERS),
  ADJUST(Tag.JOB, Told.CALLERS),
  TURN(Tag.JOB, Told.CALLERS),
  REQUEUE(Tag.JOB),
  LOSE(Tag.JOB),
  CANCEL(Tag.JOB, Told.CALLERS),
  DESCRIBE(Tag.JOB, Told.CALLERS),
  WAITING(Tag.JOB),
  UNDELIVERED(Tag.JOB),
  LOOSE_ENDS(Tag.JOB),
  HOOK_TOLD(Tag.JOB),
  HOOK_FAILED(Tag.JOB),
  HOOK_AGAIN(Tag.JOB, Told.CALLERS),
  NOTE(Tag.JOB),

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

  /** Who relies on what a reply says. */
  private enum Told {
    /** It is an acknowledgement: what it tells of must not be lost. */
    CALLERS,
    /** It is done again, or found by the sweeper. */
    COORDINATOR
  }

  private final Tag tag;
  private final RedisScript lua;

  Script(Tag tag) {
    this(tag, Told.COORDINATOR);
  }

  Script(Tag tag, Told told) {
    this.tag = tag;
    this.lua =
        RedisScript.load(Script.class, name().toLowerCase(Locale.ROOT))
            .acknowledging(told == Told.CALLERS);
  }

  /** Whose keys the script gets. */
  Tag tag() {
    return tag;
  }

  RedisScript lua() {
    return lua;
  }
}
