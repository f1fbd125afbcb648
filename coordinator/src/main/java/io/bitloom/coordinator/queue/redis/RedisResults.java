package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.PayloadGroup;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.redis.RedisConnection;
import io.lettuce.core.KeyValue;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/**
 * Reads the outcomes of a job. Each part of a job has its own, in their order; those of several
 * parts that are read together are put in the order of their times.
 */
public final class RedisResults implements ResultLog {

  /** More results than this are not read in one call of Redis. */
  static final int MOST_PER_CALL = 256;

  private final RedisConnection redis;
  private final Keys keys;
  private final Spread spread;
  private final ResultPages pages;

  public RedisResults(RedisConnection redis, Keys keys, Spread spread) {
    this.redis = redis;
    this.keys = keys;
    this.spread = spread;
    this.pages = new ResultPages(redis, keys);
  }

  /** A part of a job and how it has its outcomes. */
  private record Part(JobPart part, ResultPages.Layout layout) {}

  /** What is to be read of a part. */
  private record Piece(Part of, long from, int count) {}

  /**
   * What was read of a part.
   *
   * @param behind place among all that was read of it, the first of which is 0
   */
  private record Read(Part of, ResultRecord record, long behind) {}

  @Override
  public CompletionStage<List<ResultRecord>> read(String jobId, Cursor after, int count) {
    int most = Math.min(count, MOST_PER_CALL);
    return pages
        .readUsual(jobId, after.passed(0), most)
        .thenCombine(
            pages.layout(jobId),
            (usual, layout) -> {
              if (layout.parts().number() > 1) {
                return parts(jobId, layout)
                    .thenCompose(parts -> read(parts, after, most))
                    .thenApply(read -> inOrder(after, read))
                    .thenApply(failed -> failed.stream().map(RedisResults::withCursor).toList());
              }
              CompletionStage<List<byte[]>> entries =
                  layout.page() == ResultPages.OUTCOMES
                      ? CompletableFuture.completedStage(usual)
                      : pages.read(jobId, layout, after.passed(0), most);
              return layout.there()
                  ? entries.thenCompose(read -> only(jobId, after.passed(0), read))
                  : JobErrors.<List<ResultRecord>>failed(JobErrors.notFound(jobId));
            })
        .thenCompose(stage -> stage);
  }

  /** The outcomes of a job of one part, from a place on. */
  private CompletionStage<List<ResultRecord>> only(String jobId, long from, List<byte[]> entries) {
    return withPayloads(JobPart.first(jobId), 1, outcomes(from, entries));
  }

  private static List<ResultEntries.Outcome> outcomes(long from, List<byte[]> entries) {
    List<ResultEntries.Outcome> outcomes = new ArrayList<>(entries.size());
    for (byte[] entry : entries) {
      outcomes.add(ResultEntries.read(from + outcomes.size() + 1, Tasks.unsafeWrap(entry)));
    }
    return outcomes;
  }

  private static ResultRecord withCursor(Failed read) {
    return read.result().at(read.behind());
  }

  @Override
  public CompletionStage<List<Failed>> failures(String jobId, Cursor after, int count) {
    int most = Math.min(count, MOST_PER_CALL);
    return pages
        .layout(jobId)
        .thenCompose(
            layout ->
                layout.there()
                    ? parts(jobId, layout)
                        .thenCompose(parts -> failures(parts, after, most))
                        .thenApply(read -> inOrder(after, read))
                    : JobErrors.failed(JobErrors.notFound(jobId)));
  }

  // Parts

  private CompletionStage<List<Part>> parts(String jobId, ResultPages.Layout first) {
    List<CompletionStage<Part>> parts = new ArrayList<>();
    parts.add(
        CompletableFuture.completedStage(
            new Part(new JobPart(jobId, 0, first.parts().number()), first)));
    for (String partId : first.parts().others(jobId)) {
      parts.add(pages.layout(partId).thenApply(layout -> new Part(JobPart.parse(partId), layout)));
    }
    return Stages.all(parts);
  }

  private CompletionStage<List<List<Read>>> read(List<Part> parts, Cursor after, int count) {
    return ofEach(
        pieces(parts, after, count, ResultPages.Layout::decided),
        piece ->
            pages
                .read(piece.of().part().id(), piece.of().layout(), piece.from(), piece.count())
                .thenApply(entries -> outcomes(piece.from(), entries)));
  }

  private CompletionStage<List<List<Read>>> failures(List<Part> parts, Cursor after, int count) {
    return ofEach(pieces(parts, after, count, ResultPages.Layout::failed), this::failures);
  }

  private CompletionStage<List<ResultEntries.Outcome>> failures(Piece piece) {
    String partId = piece.of().part().id();
    long end = piece.from() + piece.count();
    return redis
        .call(r -> r.getrange(keys.failures(partId), 4 * piece.from(), 4 * end - 1))
        .thenCompose(cursors -> at(partId, piece.of().layout(), cursors));
  }

  /** The outcomes at u32 cursors. */
  private CompletionStage<List<ResultEntries.Outcome>> at(
      String partId, ResultPages.Layout layout, byte[] cursors) {
    List<CompletionStage<ResultEntries.Outcome>> outcomes = new ArrayList<>();
    for (ByteBuffer left = ByteBuffer.wrap(cursors); left.hasRemaining(); ) {
      long cursor = Integer.toUnsignedLong(left.getInt());
      outcomes.add(
          pages
              .read(partId, layout, cursor - 1)
              .thenApply(entry -> ResultEntries.read(cursor, Tasks.unsafeWrap(entry))));
    }
    return Stages.all(outcomes);
  }

  /** What is read of each part: as much as there is, of those first that have most. */
  private static List<Piece> pieces(
      List<Part> parts, Cursor after, int count, ToLongFunction<ResultPages.Layout> there) {
    List<Integer> fullestFirst =
        IntStream.range(0, parts.size())
            .boxed()
            .sorted(
                Comparator.comparingLong(
                    n -> after.passed(n) - there.applyAsLong(parts.get(n).layout())))
            .toList();
    List<Piece> pieces = new ArrayList<>();
    int left = count;
    for (int n : fullestFirst) {
      long from = after.passed(n);
      int some = (int) Math.min(left, there.applyAsLong(parts.get(n).layout()) - from);
      if (some > 0) {
        pieces.add(new Piece(parts.get(n), from, some));
        left -= some;
      }
    }
    return pieces;
  }

  private interface Reader {
    CompletionStage<List<ResultEntries.Outcome>> read(Piece piece);
  }

  private CompletionStage<List<List<Read>>> ofEach(List<Piece> pieces, Reader reader) {
    List<CompletionStage<List<Read>>> stages = new ArrayList<>();
    for (Piece piece : pieces) {
      stages.add(
          reader
              .read(piece)
              .thenCompose(
                  outcomes -> withPayloads(piece.of().part(), piece.of().part().of(), outcomes))
              .thenApply(records -> numbered(piece, records)));
    }
    return Stages.all(stages);
  }

  private static List<Read> numbered(Piece piece, List<ResultRecord> records) {
    List<Read> read = new ArrayList<>(records.size());
    for (ResultRecord record : records) {
      read.add(new Read(piece.of(), record, piece.from() + read.size() + 1));
    }
    return read;
  }

  /**
   * Puts what was read of all parts in one order, with the place behind each. What is of one part
   * stays in its order, whatever its times say.
   */
  private static List<Failed> inOrder(Cursor after, List<List<Read>> ofParts) {
    List<Failed> inOrder = new ArrayList<>();
    PriorityQueue<Deque<Read>> left =
        new PriorityQueue<>(Comparator.comparing(reads -> reads.peek().record().commitTime()));
    ofParts.stream().filter(reads -> !reads.isEmpty()).map(ArrayDeque::new).forEach(left::add);
    Cursor behind = after;
    while (!left.isEmpty()) {
      Deque<Read> earliest = left.remove();
      Read next = earliest.remove();
      behind = behind.with(next.of().part().number(), next.behind());
      inOrder.add(new Failed(next.record(), behind));
      if (!earliest.isEmpty()) {
        left.add(earliest);
      }
    }
    return inOrder;
  }

  // Payloads

  private CompletionStage<List<ResultRecord>> withPayloads(
      JobPart part, int parts, List<ResultEntries.Outcome> outcomes) {
    if (outcomes.isEmpty()) {
      return CompletableFuture.completedStage(List.of());
    }
    String[] groups =
        outcomes.stream()
            .map(outcome -> Long.toString(outcome.group()))
            .distinct()
            .toArray(String[]::new);
    return redis
        .call(r -> r.hmget(keys.prompts(part.id()), groups))
        .thenApply(
            found -> {
              Map<Long, PayloadGroup> payloads = new HashMap<>();
              for (KeyValue<String, byte[]> group : found) {
                long id = Long.parseLong(group.getKey());
                payloads.put(id, new PayloadGroup(id, Tasks.unsafeWrap(group.getValue())));
              }
              return outcomes.stream()
                  .map(
                      outcome ->
                          outcome.with(
                              spread.inJob(part, outcome.offset(), parts),
                              payloads.get(outcome.group()).payload(outcome.offset())))
                  .toList();
            });
  }
}
