package io.bitloom.coordinator.api;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.jobs.JobNames;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The filter of ListJobs, a small part of AIP-160: conditions joined by AND. Every error names the
 * place in the text.
 */
final class JobConditions {

  private static final int MAX_CHARACTERS = 2000;
  private static final int MAX_CONDITIONS = 32;

  private static final Pattern CONDITION =
      Pattern.compile(
          "\\s*(?<field>[A-Za-z_]+)(?<key>\\.(?:[\\w.-]+|\"(?:[^\"\\\\]|\\\\.)*\"))?"
              + "\\s*(?<operator>!=|<=|>=|=|<|>|:)"
              + "\\s*(?<value>\\*|[\\w.:/+-]+|\"(?:[^\"\\\\]|\\\\.)*\")");
  private static final Pattern AND = Pattern.compile("\\s+AND(?=\\s)");

  /** A condition as it is written. */
  private record Condition(String field, String key, String operator, String value) {}

  private JobConditions() {}

  /**
   * What a job must be.
   *
   * @throws BitloomException {@code INVALID_FIELD} for a text that is not a filter
   */
  static Predicate<JobRecord> parse(String filter) {
    if (filter.isBlank()) {
      return job -> true;
    }
    if (filter.length() > MAX_CHARACTERS) {
      throw bad(filter, "must have at most " + MAX_CHARACTERS + " characters");
    }
    List<Predicate<JobRecord>> conditions = new ArrayList<>();
    int at = 0;
    while (true) {
      Matcher matcher = CONDITION.matcher(filter).region(at, filter.length());
      if (!matcher.lookingAt()) {
        throw bad(
            filter,
            "must have a condition such as state = RUNNING at character " + (skipped(filter, at)));
      }
      if (conditions.size() == MAX_CONDITIONS) {
        throw bad(filter, "must have at most " + MAX_CONDITIONS + " conditions");
      }
      String key = matcher.group("key");
      conditions.add(
          condition(
              filter,
              new Condition(
                  matcher.group("field"),
                  key == null ? "" : unquoted(key.substring(1)),
                  matcher.group("operator"),
                  unquoted(matcher.group("value")))));
      at = matcher.end();
      if (filter.substring(at).isBlank()) {
        return job -> conditions.stream().allMatch(condition -> condition.test(job));
      }
      Matcher and = AND.matcher(filter).region(at, filter.length());
      if (!and.lookingAt()) {
        throw bad(filter, "must have AND or the end at character " + skipped(filter, at));
      }
      at = and.end();
    }
  }

  /** Where the next word begins, counted from 1. */
  private static int skipped(String filter, int from) {
    int at = from;
    while (at < filter.length() && Character.isWhitespace(filter.charAt(at))) {
      at++;
    }
    return at + 1;
  }

  private static String unquoted(String text) {
    return text.startsWith("\"")
        ? text.substring(1, text.length() - 1).replaceAll("\\\\(.)", "$1")
        : text;
  }

  private static Predicate<JobRecord> condition(String filter, Condition c) {
    if (!c.key().isEmpty() && !c.field().equals("labels")) {
      throw bad(filter, "must not have ." + c.key() + " behind " + c.field());
    }
    return switch (c.field()) {
      case "state" -> state(filter, c);
      case "model" -> text(filter, c, job -> Jobs.specOf(job).getModel());
      case "display_name" -> text(filter, c, job -> Jobs.specOf(job).getDisplayName());
      case "name" -> text(filter, c, job -> JobNames.of(job.id()));
      case "labels" -> label(filter, c);
      case "priority" -> priority(filter, c);
      case "create_time" -> createTime(filter, c);
      default ->
          throw bad(
              filter,
              "must name state, model, display_name, name, labels.KEY, priority or create_time,"
                  + " and has "
                  + c.field());
    };
  }

  private static Predicate<JobRecord> state(String filter, Condition c) {
    String name = c.value().toUpperCase(Locale.ROOT);
    JobState state;
    try {
      state = JobState.valueOf(name.startsWith("JOB_STATE_") ? name : "JOB_STATE_" + name);
    } catch (IllegalArgumentException e) {
      throw bad(filter, "must have a state of a job such as RUNNING, and has " + c.value());
    }
    return equality(filter, c, job -> job.state() == state);
  }

  /** A text of a job. */
  private interface Text {
    String of(JobRecord job);
  }

  private static Predicate<JobRecord> text(String filter, Condition c, Text text) {
    if (c.operator().equals(":")) {
      String part = c.value().toLowerCase(Locale.ROOT);
      return job -> text.of(job).toLowerCase(Locale.ROOT).contains(part);
    }
    return equality(filter, c, job -> text.of(job).equals(c.value()));
  }

  private static Predicate<JobRecord> label(String filter, Condition c) {
    if (c.key().isEmpty()) {
      throw bad(filter, "must name the label: labels.KEY");
    }
    if (c.operator().equals(":") && c.value().equals("*")) {
      return job -> labels(job).containsLabels(c.key());
    }
    return text(filter, c, job -> labels(job).getLabelsOrDefault(c.key(), ""));
  }

  private static Job labels(JobRecord job) {
    return Jobs.specOf(job);
  }

  private static Predicate<JobRecord> priority(String filter, Condition c) {
    int priority;
    try {
      priority = Integer.parseInt(c.value());
    } catch (NumberFormatException e) {
      throw bad(filter, "must compare priority with a whole number, and has " + c.value());
    }
    IntPredicate order = order(filter, c);
    return job -> order.test(Integer.compare(job.priority(), priority));
  }

  private static Predicate<JobRecord> createTime(String filter, Condition c) {
    Instant time;
    try {
      time = Instant.parse(c.value());
    } catch (DateTimeException e) {
      throw bad(
          filter,
          "must compare create_time with a time such as \"2026-01-31T00:00:00Z\", and has "
              + c.value());
    }
    IntPredicate order = order(filter, c);
    return job -> order.test(job.createTime().compareTo(time));
  }

  private static Predicate<JobRecord> equality(
      String filter, Condition c, Predicate<JobRecord> equal) {
    return switch (c.operator()) {
      case "=" -> equal;
      case "!=" -> equal.negate();
      default ->
          throw bad(filter, "must compare " + c.field() + " by = or !=, and has " + c.operator());
    };
  }

  private static IntPredicate order(String filter, Condition c) {
    return switch (c.operator()) {
      case "=" -> sign -> sign == 0;
      case "!=" -> sign -> sign != 0;
      case "<" -> sign -> sign < 0;
      case "<=" -> sign -> sign <= 0;
      case ">" -> sign -> sign > 0;
      case ">=" -> sign -> sign >= 0;
      default -> throw bad(filter, "must compare " + c.field() + " by = != < <= > >=, and has :");
    };
  }

  private static BitloomException bad(String filter, String message) {
    return BitloomException.invalid("filter", filter, message);
  }
}
