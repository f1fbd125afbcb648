package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.json.EnumNames;
import io.bitloom.coordinator.jobs.Conditions.Condition;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.v1.JobState;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** The filter of ListJobs. */
final class JobConditions {

  private JobConditions() {}

  /**
   * What a job must be.
   *
   * @throws BitloomException {@code INVALID_FIELD} for a text that is not a filter
   */
  static Predicate<JobRecord> parse(String filter) {
    List<Predicate<JobRecord>> conditions =
        Conditions.parse(filter, "state = RUNNING").stream().map(JobConditions::condition).toList();
    return job -> conditions.stream().allMatch(condition -> condition.test(job));
  }

  private static Predicate<JobRecord> condition(Condition c) {
    if (!c.key().isEmpty() && !c.field().equals("labels")) {
      throw c.bad("must not have ." + c.key() + " behind " + c.field());
    }
    return switch (c.field()) {
      case "state" -> state(c);
      case "model" -> c.text(job -> JobMessages.described(job).getModel());
      case "display_name" -> c.text(job -> JobMessages.described(job).getDisplayName());
      case "name" -> c.text(job -> JobNames.of(job.id()));
      case "labels" -> label(c);
      case "priority" -> priority(c);
      case "create_time" -> createTime(c);
      default ->
          throw c.bad(
              "must name state, model, display_name, name, labels.KEY, priority or create_time,"
                  + " and has "
                  + c.field());
    };
  }

  private static Predicate<JobRecord> state(Condition c) {
    JobState state =
        EnumNames.find(JobState.class, c.value())
            .orElseThrow(
                () -> c.bad("must have a state of a job such as RUNNING, and has " + c.value()));
    return c.equality(job -> job.state() == state);
  }

  private static Predicate<JobRecord> label(Condition c) {
    if (c.key().isEmpty()) {
      throw c.bad("must name the label: labels.KEY");
    }
    if (c.operator().equals(":") && c.value().equals("*")) {
      return job -> JobMessages.described(job).containsLabels(c.key());
    }
    return c.text(job -> JobMessages.described(job).getLabelsOrDefault(c.key(), ""));
  }

  private static Predicate<JobRecord> priority(Condition c) {
    int priority;
    try {
      priority = Integer.parseInt(c.value());
    } catch (NumberFormatException e) {
      throw c.bad("must compare priority with a whole number, and has " + c.value());
    }
    IntPredicate order = c.order();
    return job -> order.test(Integer.compare(job.priority(), priority));
  }

  private static Predicate<JobRecord> createTime(Condition c) {
    Instant time;
    try {
      time = Instant.parse(c.value());
    } catch (DateTimeException e) {
      throw c.bad(
          "must compare create_time with a time such as \"2026-01-31T00:00:00Z\", and has "
              + c.value());
    }
    IntPredicate order = c.order();
    return job -> order.test(job.createTime().compareTo(time));
  }
}
