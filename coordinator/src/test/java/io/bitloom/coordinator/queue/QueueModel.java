package io.bitloom.coordinator.queue;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the queue has to do with prompts, in the simplest words: a prompt waits, is held by one
 * lease, or is decided. {@link QueueModelIT} compares the scripts with it.
 */
final class QueueModel {

  /** Where a prompt is. */
  enum State {
    WAITING,
    HELD,
    DONE
  }

  /**
   * A prompt.
   *
   * @param holder of a prompt that is held, else null
   * @param attempts how often it was tried
   * @param outcome of a prompt that is done, else null
   */
  record Prompt(State state, LeaseRef holder, int attempts, ResultRecord.Status outcome) {

    private static final Prompt NEW = new Prompt(State.WAITING, null, 0, null);

    private Prompt heldBy(LeaseRef lease) {
      return new Prompt(State.HELD, lease, attempts + 1, null);
    }

    private Prompt waiting(int attempts) {
      return new Prompt(State.WAITING, null, attempts, null);
    }

    private Prompt done(ResultRecord.Status outcome) {
      return new Prompt(State.DONE, null, attempts, outcome);
    }
  }

  final Map<TaskRef, Prompt> prompts = new LinkedHashMap<>();
  final Set<String> cancelled = new HashSet<>();
  private final int maxAttempts;

  QueueModel(int maxAttempts) {
    this.maxAttempts = maxAttempts;
  }

  QueueModel copy() {
    QueueModel copy = new QueueModel(maxAttempts);
    copy.prompts.putAll(prompts);
    copy.cancelled.addAll(cancelled);
    return copy;
  }

  void appended(TaskRef task) {
    prompts.put(task, Prompt.NEW);
  }

  /** A prompt was leased; whether that could be. */
  boolean leased(LeaseRef lease, TaskRef task, int attempt) {
    Prompt prompt = prompts.get(task);
    if (prompt == null || prompt.state != State.WAITING || attempt != prompt.attempts + 1) {
      return false;
    }
    prompts.put(task, prompt.heldBy(lease));
    return true;
  }

  /** An outcome was reported; returns the verdict that it must get. */
  TaskVerdict committed(LeaseRef lease, TaskRef task, boolean succeeded) {
    if (!holds(lease, task)) {
      return TaskVerdict.SUPERSEDED;
    }
    decide(task, succeeded ? ResultRecord.Status.SUCCEEDED : ResultRecord.Status.FAILED);
    return TaskVerdict.COMMITTED;
  }

  /** A failure was reported that another attempt may mend. */
  TaskVerdict failed(LeaseRef lease, TaskRef task) {
    if (!holds(lease, task)) {
      return TaskVerdict.SUPERSEDED;
    }
    if (prompts.get(task).attempts == maxAttempts) {
      decide(task, ResultRecord.Status.FAILED);
      return TaskVerdict.COMMITTED;
    }
    giveBack(task, prompts.get(task).attempts);
    return TaskVerdict.RETRIED;
  }

  void released(LeaseRef lease, TaskRef task) {
    if (holds(lease, task)) {
      giveBack(task, prompts.get(task).attempts - 1);
    }
  }

  void expired(LeaseRef lease) {
    for (TaskRef task : held(lease)) {
      if (prompts.get(task).attempts == maxAttempts) {
        decide(task, ResultRecord.Status.LOST);
      } else {
        giveBack(task, prompts.get(task).attempts);
      }
    }
  }

  void cancelled(String jobId) {
    cancelled.add(jobId);
    ofJob(jobId).stream()
        .filter(task -> prompts.get(task).state == State.WAITING)
        .forEach(task -> decide(task, ResultRecord.Status.CANCELLED));
  }

  List<TaskRef> held(LeaseRef lease) {
    return prompts.keySet().stream().filter(task -> holds(lease, task)).toList();
  }

  List<TaskRef> ofJob(String jobId) {
    return prompts.keySet().stream().filter(task -> task.jobId().equals(jobId)).toList();
  }

  long count(String jobId, State state) {
    return ofJob(jobId).stream().filter(task -> prompts.get(task).state == state).count();
  }

  private boolean holds(LeaseRef lease, TaskRef task) {
    return lease.equals(prompts.get(task).holder);
  }

  private void giveBack(TaskRef task, int attempts) {
    if (cancelled.contains(task.jobId())) {
      decide(task, ResultRecord.Status.CANCELLED);
    } else {
      prompts.put(task, prompts.get(task).waiting(attempts));
    }
  }

  private void decide(TaskRef task, ResultRecord.Status outcome) {
    prompts.put(task, prompts.get(task).done(outcome));
  }
}
