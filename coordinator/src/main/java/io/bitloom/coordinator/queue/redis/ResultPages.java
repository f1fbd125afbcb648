package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.redis.RedisConnection;
import io.lettuce.core.KeyValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Where the outcomes of a job are: in lists of some thousand each, or in one list if data version 1
 * was in force when the job was created. Finding a place takes time that grows with the list.
 */
final class ResultPages {

  /** How many outcomes new jobs have in a list. */
  static final int OUTCOMES = 4096;

  private static final int LISTS_PER_CALL = 512;

  private final RedisConnection redis;
  private final Keys keys;

  ResultPages(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /**
   * How a job has its outcomes.
   *
   * @param there whether there is such a job
   * @param page how many are in a list; 0: all
   * @param decided how many there are
   * @param failed how many of them failed
   * @param parts of the job
   */
  record Layout(boolean there, int page, long decided, long failed, JobScripts.Parts parts) {

    private static Layout of(List<KeyValue<String, byte[]>> fields) {
      return new Layout(
          fields.get(0).hasValue(),
          (int) number(fields.get(1)),
          number(fields.get(2)) + number(fields.get(3)) + number(fields.get(4)),
          number(fields.get(3)),
          fields.get(5).hasValue()
              ? new JobScripts.Parts((int) number(fields.get(5)), (int) number(fields.get(6)))
              : JobScripts.Parts.ONE);
    }

    private static long number(KeyValue<String, byte[]> field) {
      return field.hasValue()
          ? Long.parseLong(new String(field.getValue(), StandardCharsets.UTF_8))
          : 0;
    }
  }

  CompletionStage<Layout> layout(String partId) {
    return redis
        .call(
            r ->
                r.hmget(
                    keys.jobHash(partId),
                    "state",
                    "page",
                    "succeeded",
                    "failed",
                    "cancelled",
                    "parts",
                    "opened"))
        .thenApply(Layout::of);
  }

  /**
   * Outcomes from a place on as nearly all jobs have them, in pages of {@link #OUTCOMES}: to be
   * asked for before the layout is known.
   */
  CompletionStage<List<byte[]>> readUsual(String partId, long from, int count) {
    return read(partId, OUTCOMES, from, count);
  }

  /** Outcomes from a place on, fewer if there are no more yet. */
  CompletionStage<List<byte[]>> read(String partId, Layout layout, long from, int count) {
    return read(partId, layout.page(), from, count);
  }

  private CompletionStage<List<byte[]>> read(String jobId, int page, long from, int count) {
    if (page == 0) {
      return redis.call(r -> r.lrange(keys.results(jobId), from, from + count - 1));
    }
    long inPage = from % page;
    long last = Math.min(page, inPage + count) - 1;
    int here = (int) (last - inPage + 1);
    CompletionStage<List<byte[]>> some =
        redis.call(r -> r.lrange(keys.results(jobId, from / page), inPage, last));
    // What follows a page that was not full a moment ago follows something else.
    return here == count
        ? some
        : some.thenCombine(
            read(jobId, page, from + here, count - here),
            (first, more) -> first.size() < here ? first : both(first, more));
  }

  private static List<byte[]> both(List<byte[]> first, List<byte[]> more) {
    List<byte[]> both = new ArrayList<>(first);
    both.addAll(more);
    return both;
  }

  /** The outcome at a place where there is one. */
  CompletionStage<byte[]> read(String jobId, Layout layout, long place) {
    return layout.page() == 0
        ? redis.call(r -> r.lindex(keys.results(jobId), place))
        : redis.call(
            r -> r.lindex(keys.results(jobId, place / layout.page()), place % layout.page()));
  }

  /** Removes those of a terminal job. May be repeated as long as the job's hash is there. */
  CompletionStage<Void> delete(String jobId) {
    return layout(jobId)
        .thenCompose(
            layout -> layout.page() == 0 ? Stages.nothing() : delete(jobId, lists(layout), 0));
  }

  private static long lists(Layout layout) {
    return (layout.decided() + layout.page() - 1) / layout.page();
  }

  private CompletionStage<Void> delete(String jobId, long lists, long from) {
    if (from >= lists) {
      return Stages.nothing();
    }
    String[] some = new String[(int) Math.min(LISTS_PER_CALL, lists - from)];
    for (int k = 0; k < some.length; k++) {
      some[k] = keys.results(jobId, from + k);
    }
    return redis
        .call(r -> r.unlink(some))
        .thenCompose(removed -> delete(jobId, lists, from + some.length));
  }
}
