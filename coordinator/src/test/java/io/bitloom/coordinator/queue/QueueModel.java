package io.bitloom.coordinator.queue;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
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

  /** A prompt, how often it was tried, and what it came to. */
  static final class Prompt {
    State state = State.WAITING;
    int attempts;
    ResultRecord.Status outcome;
  }

  final Map<TaskRef, Prompt> prompts = new LinkedHashMap<>();
  final Map<LeaseRef, Set<TaskRef>> leases = new HashMap<>();
  final Set<String> cancelled = new HashSet<>();
  private final int maxAttempts;

  QueueModel(int maxAttempts) {
    this.maxAttempts = maxAttempts;
  }

  void appended(TaskRef task) {
    prompts.put(task, new Prompt());
  }

  /** A prompt was leased; returns what is wrong with that, or null. */
  String leased(LeaseRef lease, LeasedTask task) {
    Prompt prompt = prompts.get(task.task());
    if (prompt == null || prompt.state != State.WAITING) {
      return task + " was leased while it was " + (prompt == null ? "unknown" : prompt.state);
    }
    if (task.attempt() != prompt.attempts + 1) {
      return task + " was not attempt " + (prompt.attempts + 1);
    }
    prompt.state = State.HELD;
    prompt.attempts++;
    leases.computeIfAbsent(lease, l -> new HashSet<>()).add(task.task());
    return null;
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
    giveBack(task);
    return TaskVerdict.RETRIED;
  }

  void released(LeaseRef lease, TaskRef task) {
    if (holds(lease, task)) {
      prompts.get(task).attempts--;
      giveBack(task);
    }
  }

  void expired(LeaseRef lease) {
    for (TaskRef task : Set.copyOf(leases.getOrDefault(lease, Set.of()))) {
      if (prompts.get(task).attempts == maxAttempts) {
        decide(task, ResultRecord.Status.LOST);
      } else {
        giveBack(task);
      }
    }
  }

  void cancelled(String jobId) {
    cancelled.add(jobId);
    prompts.forEach(
        (task, prompt) -> {
          if (task.jobId().equals(jobId) && prompt.state == State.WAITING) {
            decide(task, ResultRecord.Status.CANCELLED);
          }
        });
  }

  boolean holds(LeaseRef lease, TaskRef task) {
    return leases.getOrDefault(lease, Set.of()).contains(task);
  }

  long count(String jobId, State state) {
    return prompts.entrySet().stream()
        .filter(entry -> entry.getKey().jobId().equals(jobId) && entry.getValue().state == state)
        .count();
  }

  private void giveBack(TaskRef task) {
    if (cancelled.contains(task.jobId())) {
      decide(task, ResultRecord.Status.CANCELLED);
    } else {
      leases.values().forEach(tasks -> tasks.remove(task));
      prompts.get(task).state = State.WAITING;
    }
  }

  private void decide(TaskRef task, ResultRecord.Status outcome) {
    leases.values().forEach(tasks -> tasks.remove(task));
    prompts.get(task).state = State.DONE;
    prompts.get(task).outcome = outcome;
  }
}
