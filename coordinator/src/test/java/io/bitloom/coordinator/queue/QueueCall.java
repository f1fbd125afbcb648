package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.stream.LongStream;

/**
 * A call of the queue, and what {@link QueueModel} says to it. Answers are given by prompt: a
 * verdict, or the attempt that a lease gives; prompts of which nothing is said are left out.
 */
interface QueueCall {

  /** What is the same of all calls that a race of two must not confuse. */
  enum Kind {
    APPEND,
    LEASE,
    COMMIT,
    FAIL,
    RELEASE,
    EXPIRE,
    CANCEL
  }

  /** What a call came to. */
  record Answer(LeaseRef lease, Map<TaskRef, Object> prompts) {

    private static final Answer NOTHING = new Answer(null, Map.of());
  }

  Kind kind();

  CompletionStage<Answer> make(JobQueue queue);

  /**
   * Does the same to the model.
   *
   * @param answer of the queue; a lease can be made of any prompts that may be leased
   * @return what the answers had to be
   */
  Map<TaskRef, Object> tell(QueueModel model, Answer answer);

  /** Prompts of a job, one image each, with payloads by their offsets. */
  record Append(String jobId, long offset, int count, Bucket bucket) implements QueueCall {

    @Override
    public Kind kind() {
      return Kind.APPEND;
    }

    @Override
    public CompletionStage<Answer> make(JobQueue queue) {
      List<NewPrompt> prompts =
          LongStream.range(offset, offset + count)
              .mapToObj(at -> new NewPrompt(bucket, 1, QueueFixture.payload(at)))
              .toList();
      return queue.prompts().append(jobId, offset, prompts).thenApply(appended -> Answer.NOTHING);
    }

    @Override
    public Map<TaskRef, Object> tell(QueueModel model, Answer answer) {
      LongStream.range(offset, offset + count)
          .forEach(at -> model.appended(new TaskRef(jobId, at)));
      return Map.of();
    }
  }

  record Lease(Bucket bucket, int most) implements QueueCall {

    @Override
    public Kind kind() {
      return Kind.LEASE;
    }

    @Override
    public CompletionStage<Answer> make(JobQueue queue) {
      return queue
          .leases()
          .lease(bucket, "worker", most, QueueFixture.LEASE)
          .thenApply(
              batch -> {
                Map<TaskRef, Object> attempts = new HashMap<>();
                batch.ifPresent(
                    given -> given.tasks().forEach(t -> attempts.put(t.task(), t.attempt())));
                return new Answer(batch.map(LeasedBatch::lease).orElse(null), attempts);
              });
    }

    @Override
    public Map<TaskRef, Object> tell(QueueModel model, Answer answer) {
      Map<TaskRef, Object> allowed = new HashMap<>();
      answer
          .prompts()
          .forEach(
              (task, attempt) ->
                  allowed.put(
                      task, model.leased(answer.lease(), task, (int) attempt) ? attempt : "none"));
      return allowed;
    }
  }

  record Commit(LeaseRef lease, List<TaskRef> tasks, boolean succeeded) implements QueueCall {

    @Override
    public Kind kind() {
      return Kind.COMMIT;
    }

    @Override
    public CompletionStage<Answer> make(JobQueue queue) {
      List<TaskOutcome> outcomes =
          tasks.stream()
              .map(task -> new TaskOutcome(task, succeeded, body(task), 0, true))
              .toList();
      return queue.leases().commit(lease, outcomes).thenApply(verdicts -> answer(tasks, verdicts));
    }

    @Override
    public Map<TaskRef, Object> tell(QueueModel model, Answer answer) {
      Map<TaskRef, Object> verdicts = new HashMap<>();
      tasks.forEach(task -> verdicts.put(task, model.committed(lease, task, succeeded)));
      return verdicts;
    }
  }

  record Fail(LeaseRef lease, List<TaskRef> tasks) implements QueueCall {

    @Override
    public Kind kind() {
      return Kind.FAIL;
    }

    @Override
    public CompletionStage<Answer> make(JobQueue queue) {
      List<TaskFailure> failures =
          tasks.stream().map(task -> new TaskFailure(task, body(task), true)).toList();
      return queue.leases().fail(lease, failures).thenApply(verdicts -> answer(tasks, verdicts));
    }

    @Override
    public Map<TaskRef, Object> tell(QueueModel model, Answer answer) {
      Map<TaskRef, Object> verdicts = new HashMap<>();
      tasks.forEach(task -> verdicts.put(task, model.failed(lease, task)));
      return verdicts;
    }
  }

  record Release(LeaseRef lease, List<TaskRef> tasks) implements QueueCall {

    @Override
    public Kind kind() {
      return Kind.RELEASE;
    }

    @Override
    public CompletionStage<Answer> make(JobQueue queue) {
      return queue.leases().release(lease, tasks).thenApply(released -> Answer.NOTHING);
    }

    @Override
    public Map<TaskRef, Object> tell(QueueModel model, Answer answer) {
      tasks.forEach(task -> model.released(lease, task));
      return Map.of();
    }
  }

  record Expire(LeaseRef lease) implements QueueCall {

    @Override
    public Kind kind() {
      return Kind.EXPIRE;
    }

    @Override
    public CompletionStage<Answer> make(JobQueue queue) {
      return queue.leases().expire(lease).thenApply(expired -> Answer.NOTHING);
    }

    @Override
    public Map<TaskRef, Object> tell(QueueModel model, Answer answer) {
      model.expired(lease);
      return Map.of();
    }
  }

  record Cancel(String jobId) implements QueueCall {

    @Override
    public Kind kind() {
      return Kind.CANCEL;
    }

    @Override
    public CompletionStage<Answer> make(JobQueue queue) {
      return queue.jobs().cancel(jobId).thenApply(cancelled -> Answer.NOTHING);
    }

    @Override
    public Map<TaskRef, Object> tell(QueueModel model, Answer answer) {
      model.cancelled(jobId);
      return Map.of();
    }
  }

  private static Answer answer(List<TaskRef> tasks, List<TaskVerdict> verdicts) {
    Map<TaskRef, Object> byTask = new HashMap<>();
    for (int i = 0; i < tasks.size(); i++) {
      byTask.put(tasks.get(i), verdicts.get(i));
    }
    return new Answer(null, byTask);
  }

  private static ByteString body(TaskRef task) {
    return QueueFixture.bytes("of " + task);
  }
}
