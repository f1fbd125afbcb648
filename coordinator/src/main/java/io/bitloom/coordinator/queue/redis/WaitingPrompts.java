package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.PayloadGroup;
import io.bitloom.coordinator.queue.WaitingPage;
import io.bitloom.coordinator.redis.RedisConnection;
import io.lettuce.core.KeyValue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Reads the prompts of a job that have no outcome, in the order in which they were appended. */
public final class WaitingPrompts {

  private final RedisConnection redis;
  private final Keys keys;
  private final JobScripts jobs;
  private final Spread spread;

  public WaitingPrompts(RedisConnection redis, Keys keys, JobScripts jobs, Spread spread) {
    this.redis = redis;
    this.keys = keys;
    this.jobs = jobs;
    this.spread = spread;
  }

  /** A prompt that was read, without its payload. */
  private record Found(long group, long offset, WaitingPage.Place next) {}

  /** Looks at no more than so many prompts; those that have their outcome are left out. */
  CompletionStage<WaitingPage> read(String jobId, WaitingPage.Place from, int count) {
    return jobs.fields(jobId)
        .thenCompose(
            fields -> {
              int parts = fields.isEmpty() ? 1 : fields.get(0).parts().number();
              return parts == 1
                  ? readPart(jobId, from, count)
                  : readRun(
                      jobId,
                      parts,
                      fields.stream().mapToLong(JobFields::appended).sum(),
                      from,
                      count);
            });
  }

  /**
   * Reads on in the run in which a place is, and only there, so that the order is the job's.
   *
   * @param all prompts of the job
   */
  private CompletionStage<WaitingPage> readRun(
      String jobId, int parts, long all, WaitingPage.Place from, int count) {
    long offset = Math.max(0, from.append() - 1);
    if (offset >= all) {
      return CompletableFuture.completedStage(new WaitingPage(List.of(), Optional.empty()));
    }
    JobPart part = spread.part(jobId, offset, parts);
    long endInPart = spread.endOfRun(spread.inPart(offset, parts));
    WaitingPage.Place behindRun = new WaitingPage.Place(spread.endOfRun(offset) + 1, 0);
    return readPart(
            part.id(),
            new WaitingPage.Place(spread.inPart(offset, parts) + 1, from.passed()),
            count)
        .thenApply(
            page ->
                new WaitingPage(
                    page.prompts().stream()
                        .filter(prompt -> prompt.offset() < endInPart)
                        .map(
                            prompt ->
                                new WaitingPage.Prompt(
                                    spread.inJob(part, prompt.offset(), parts),
                                    prompt.running(),
                                    prompt.payload(),
                                    inJob(part, prompt.next(), parts)))
                        .toList(),
                    Optional.of(
                        page.next()
                            .filter(next -> next.append() - 1 < endInPart)
                            .map(next -> inJob(part, next, parts))
                            .orElse(behindRun))));
  }

  private WaitingPage.Place inJob(JobPart part, WaitingPage.Place place, int parts) {
    return new WaitingPage.Place(spread.inJob(part, place.append() - 1, parts) + 1, place.passed());
  }

  private CompletionStage<WaitingPage> readPart(String partId, WaitingPage.Place from, int count) {
    Arguments arguments = new Arguments().add(from.append()).add(from.passed()).add(count);
    return redis
        .eval(Script.WAITING.lua(), keys.job(partId), arguments.toArray())
        .thenCompose(reply -> page(partId, new Reply(reply)));
  }

  private CompletionStage<WaitingPage> page(String jobId, Reply reply) {
    String append = reply.nextString();
    int passed = reply.nextInt();
    Optional<WaitingPage.Place> next =
        append.isEmpty()
            ? Optional.empty()
            : Optional.of(new WaitingPage.Place(Long.parseLong(append), passed));
    Set<Long> held = new HashSet<>();
    for (ByteBuffer offsets = reply.nextBytes().asReadOnlyByteBuffer(); offsets.hasRemaining(); ) {
      held.add(Integer.toUnsignedLong(offsets.getInt()));
    }
    List<Found> found = new ArrayList<>();
    while (reply.hasNext()) {
      add(reply.nextLong(), reply.nextInt(), reply.nextBytes(), reply.nextString(), found);
    }
    return payloads(jobId, found)
        .thenApply(payloads -> new WaitingPage(prompts(found, held, payloads), next));
  }

  private static void add(
      long append, int passed, ByteString entries, String outcomes, List<Found> found) {
    ByteBuffer bytes = entries.asReadOnlyByteBuffer();
    for (int i = 0; bytes.hasRemaining(); i++) {
      long group = Integer.toUnsignedLong(bytes.getInt());
      long offset = Integer.toUnsignedLong(bytes.getInt());
      bytes.get(); // images
      if (outcomes.isEmpty() || outcomes.charAt(i) == '0') {
        found.add(new Found(group, offset, new WaitingPage.Place(append, passed + i + 1)));
      }
    }
  }

  private CompletionStage<Map<Long, PayloadGroup>> payloads(String jobId, List<Found> found) {
    Map<Long, PayloadGroup> payloads = new HashMap<>();
    if (found.isEmpty()) {
      return CompletableFuture.completedStage(payloads);
    }
    String[] groups =
        found.stream().map(one -> Long.toString(one.group())).distinct().toArray(String[]::new);
    return redis
        .call(r -> r.hmget(keys.prompts(jobId), groups))
        .thenApply(
            values -> {
              for (KeyValue<String, byte[]> group : values) {
                if (group.hasValue()) {
                  long id = Long.parseLong(group.getKey());
                  payloads.put(id, new PayloadGroup(id, Tasks.unsafeWrap(group.getValue())));
                }
              }
              return payloads;
            });
  }

  /** Without those of a job that is being deleted. */
  private static List<WaitingPage.Prompt> prompts(
      List<Found> found, Set<Long> held, Map<Long, PayloadGroup> payloads) {
    return found.stream()
        .filter(one -> payloads.containsKey(one.group()))
        .map(
            one ->
                new WaitingPage.Prompt(
                    one.offset(),
                    held.contains(one.offset()),
                    payloads.get(one.group()).payload(one.offset()),
                    one.next()))
        .toList();
  }
}
