package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.LeasedTask;
import io.bitloom.coordinator.queue.TaskRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** A lease that a worker holds, and its prompts that have no outcome yet. */
final class OpenLease {

  /**
   * One prompt.
   *
   * @param index its place in the lease
   * @param leased empty if the lease was taken over from another session of its worker
   */
  record Task(int index, TaskRef ref, Optional<LeasedTask> leased) {}

  private enum State {
    /** The worker has neither reported it nor handed it back. */
    OPEN,
    /** Its outcome was neither taken nor refused. */
    REPORTED,
    /** Nothing more comes of it. */
    OVER
  }

  private final LeaseRef ref;
  private final long grantedAt;
  private final SortedMap<Integer, Task> tasks = new TreeMap<>(); // by index
  private final Map<Integer, State> states = new HashMap<>(); // by index
  private final Map<String, Integer> undecided = new HashMap<>(); // by job
  private Map<TaskRef, Task> byRef; // made when it is asked for
  private boolean known = true;
  private int goingBack;
  private boolean settled;
  private int scalesDone;
  private int scales;

  /** A lease that was just given out. */
  OpenLease(LeasedBatch batch, long now) {
    this(batch.lease(), tasks(batch), now);
  }

  private static List<Task> tasks(LeasedBatch batch) {
    List<Task> tasks = new ArrayList<>(batch.tasks().size());
    for (LeasedTask task : batch.tasks()) {
      tasks.add(new Task(tasks.size(), task.task(), Optional.of(task)));
    }
    return tasks;
  }

  private OpenLease(LeaseRef ref, List<Task> tasks, long now) {
    this.ref = ref;
    this.grantedAt = now;
    for (Task task : tasks) {
      this.tasks.put(task.index(), task);
      states.put(task.index(), State.OPEN);
      undecided.merge(task.ref().jobId(), 1, Integer::sum);
    }
  }

  /**
   * A lease that a worker brings along.
   *
   * @param tasks that the worker names, by their places in the lease
   * @param before the same lease in the worker's session before, if that was here
   */
  static OpenLease brought(
      LeaseRef ref, Map<Integer, TaskRef> tasks, Optional<OpenLease> before, long now) {
    List<Task> brought = new ArrayList<>();
    tasks.forEach(
        (index, task) ->
            brought.add(
                new Task(
                    index, task, before.flatMap(lease -> lease.find(task)).flatMap(Task::leased))));
    return new OpenLease(ref, brought, now);
  }

  LeaseRef ref() {
    return ref;
  }

  /** Whether these are what the lease was given out with. */
  boolean isProvenBy(long fencingToken, String secret) {
    return ref.token() == fencingToken && ref.secret().is(secret);
  }

  long grantedAt() {
    return grantedAt;
  }

  /** Prompts that the worker has neither reported nor handed back. */
  List<TaskRef> openTasks() {
    return tasks.values().stream().filter(this::isOpen).map(Task::ref).toList();
  }

  /** A prompt of the lease, whatever became of it. */
  Optional<Task> get(int index) {
    return Optional.ofNullable(tasks.get(index));
  }

  /** A prompt of the lease, whatever became of it. */
  Optional<Task> get(TaskRef task) {
    if (byRef == null) {
      byRef = new HashMap<>();
      tasks.values().forEach(one -> byRef.put(one.ref(), one));
    }
    return Optional.ofNullable(byRef.get(task));
  }

  /** A prompt that the worker has neither reported nor handed back. */
  Optional<Task> find(TaskRef task) {
    return get(task).filter(this::isOpen);
  }

  /** The prompt's outcome has come; false if it had or the worker does not hold it any more. */
  boolean report(Task task) {
    boolean open = isOpen(task);
    if (open) {
      states.put(task.index(), State.REPORTED);
    }
    return open;
  }

  private boolean isOpen(Task task) {
    return states.get(task.index()) == State.OPEN;
  }

  /** Prompts of a job that have no outcome which was taken or refused. */
  int undecided(String jobId) {
    return undecided.getOrDefault(jobId, 0);
  }

  /**
   * The prompt's outcome was taken or refused.
   *
   * @param taken false: nobody knows whether the lease holds it
   */
  void acknowledged(Task task, boolean taken) {
    known &= taken;
    over(task);
  }

  /** Prompts that were dropped are on their way back to their bucket. */
  void goBack(int prompts) {
    goingBack += prompts;
  }

  /**
   * Prompts are back in their bucket.
   *
   * @param back false: nobody knows whether they are
   */
  void wentBack(int prompts, boolean back) {
    goingBack -= prompts;
    known &= back;
  }

  /** Drops a prompt that the worker no longer holds. */
  boolean drop(TaskRef ref) {
    Optional<Task> task = find(ref);
    task.ifPresent(this::over);
    return task.isPresent();
  }

  private void over(Task task) {
    if (states.put(task.index(), State.OVER) != State.OVER) {
      undecided.computeIfPresent(task.ref().jobId(), (job, n) -> n == 1 ? null : n - 1);
    }
  }

  /**
   * Compares what the worker names with what the lease holds, which may be more: the worker does
   * not name what it was told to forget.
   */
  void claimed(Set<TaskRef> held) {
    known = true;
    for (TaskRef task : held) {
      known &= get(task).isPresent();
    }
    openTasks().stream().filter(task -> !held.contains(task)).forEach(this::drop);
  }

  /** True once: for the first outcome that is done with. */
  boolean firstSettled() {
    boolean first = !settled;
    settled = true;
    return first;
  }

  /** Whether nothing more will come of it. */
  boolean done() {
    return undecided.isEmpty();
  }

  /** Whether it is known of every prompt of the lease that it has its outcome or went back. */
  boolean finished() {
    return known && done() && goingBack == 0;
  }

  void progress(int scalesDone, int scales) {
    this.scalesDone = scalesDone;
    this.scales = scales;
  }

  int scalesDone() {
    return scalesDone;
  }

  int scales() {
    return scales;
  }
}
