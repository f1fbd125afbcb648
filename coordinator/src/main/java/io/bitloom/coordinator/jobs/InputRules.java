package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptContent;
import io.bitloom.common.prompt.PromptFormat;
import io.bitloom.common.prompt.PromptLine;
import io.bitloom.coordinator.config.InputConfig;
import io.bitloom.v1.JobInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which objects a job may name as its prompts. A coordinator reads them with its own rights, not
 * with those of the caller, so that what is allowed is said by whoever runs it.
 */
public final class InputRules {

  private static final String URI = "job.input.uri";
  private static final String COLUMNS = "job.input.columns";
  private static final int MAX_COLUMNS = 64;
  private static final int MAX_COLUMN = 128;
  private static final String PROMPT = "prompt";

  private final InputConfig config;

  public InputRules(InputConfig config) {
    this.config = config;
  }

  /**
   * Refuses what is no object that callers of a tenant may have read.
   *
   * @throws BitloomException {@code INVALID_FIELD} with all that is wrong, or {@code
   *     PERMISSION_DENIED}
   */
  public void check(String tenant, JobInput input) {
    if (!config.isOpen()) {
      throw BitloomException.invalid(
          URI, input.getUri(), "must be empty, this coordinator reads no objects (--input)");
    }
    List<FieldViolation> violations = new ArrayList<>();
    Optional<ObjectName> object = ObjectName.parse(input.getUri());
    if (object.isEmpty()) {
      violations.add(
          FieldViolation.of(
              URI,
              input.getUri(),
              "must be s3://BUCKET/KEY of at most 1024 bytes, without empty, . or .. parts"));
    }
    if (!input.getFormat().isEmpty() && PromptFormat.find(input.getFormat()).isEmpty()) {
      violations.add(
          FieldViolation.of(
              "job.input.format", input.getFormat(), "must be one of " + PromptFormat.all()));
    }
    checkColumns(input, violations);
    JobRules.throwIfAny(violations);
    if (object.stream().noneMatch(found -> isAllowed(tenant, found))) {
      throw new BitloomException(
          ErrorCode.PERMISSION_DENIED,
          "jobs of this tenant must not name objects here (--input)",
          URI,
          input.getUri());
    }
  }

  private boolean isAllowed(String tenant, ObjectName object) {
    return config.places().stream()
        .anyMatch(place -> place.has(tenant, object.bucket(), object.key()));
  }

  private static void checkColumns(JobInput input, List<FieldViolation> violations) {
    Map<String, String> columns = input.getColumnsMap();
    if (columns.isEmpty()) {
      return;
    }
    if (columns.size() > MAX_COLUMNS) {
      violations.add(
          FieldViolation.of(
              COLUMNS, columns.size() + " columns", "must have at most " + MAX_COLUMNS));
      return;
    }
    if (!format(input).isTable()) {
      violations.add(
          FieldViolation.of(
              COLUMNS,
              String.join(", ", columns.keySet()),
              "must be empty but for csv and parquet"));
    }
    columns.forEach(
        (column, field) -> {
          if (column.isBlank() || column.length() > MAX_COLUMN) {
            violations.add(
                FieldViolation.of(
                    COLUMNS, column, "must have names of 1 to " + MAX_COLUMN + " characters"));
          }
          if (!PromptLine.FIELDS.contains(field)) {
            violations.add(
                FieldViolation.of(
                    COLUMNS + "[" + FieldViolation.shown(column) + "]",
                    field,
                    "must be a field of a prompt"));
          }
        });
    if (!columns.containsValue(PROMPT)) {
      violations.add(
          FieldViolation.of(
              COLUMNS, String.join(", ", columns.keySet()), "must map a column to prompt"));
    }
  }

  private static PromptFormat format(JobInput input) {
    return PromptFormat.find(input.getFormat())
        .or(() -> PromptFormat.ofName(input.getUri()))
        .orElse(PromptFormat.JSONL);
  }

  /** The object that an input names that passed {@link #check}. */
  public static ObjectName object(JobInput input) {
    return ObjectName.parse(input.getUri()).orElseThrow();
  }

  /** How the bytes of that object become lines of prompts. */
  public PromptContent text(JobInput input) {
    return new PromptContent(input.getUri(), format(input), input.getColumnsMap(), config.bytes());
  }

  /** Most bytes that an object may have. */
  public long mostBytes() {
    return config.bytes();
  }
}
