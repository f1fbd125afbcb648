package io.bitloom.common.error;

import io.bitloom.common.config.Settings;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * An error that callers may see: its message is written for them and holds no internals. Everything
 * else that is thrown is reported to callers as {@link ErrorCode#INTERNAL} without its text.
 */
public final class BitloomException extends RuntimeException {

  private static final long serialVersionUID = 1;

  private final ErrorCode code;
  private final transient List<FieldViolation> violations;
  private final transient Exhausted exhausted;

  public BitloomException(ErrorCode code, String message) {
    this(code, message, List.of(), null);
  }

  public BitloomException(ErrorCode code, String message, Throwable cause) {
    this(code, message, List.of(), cause);
  }

  /** An error about the value of one field. */
  public BitloomException(ErrorCode code, String message, String field, Object value) {
    this(code, message, List.of(FieldViolation.of(field, value, message)), null);
  }

  public BitloomException(
      ErrorCode code, String message, List<FieldViolation> violations, Throwable cause) {
    this(code, message, violations, null, cause);
  }

  /**
   * An error with all that callers may learn of it.
   *
   * @param exhausted the limit that was reached, or null
   */
  public BitloomException(
      ErrorCode code,
      String message,
      List<FieldViolation> violations,
      Exhausted exhausted,
      Throwable cause) {
    super(message, cause);
    this.code = code;
    this.violations = List.copyOf(violations);
    this.exhausted = exhausted;
  }

  /** {@link ErrorCode#LIMIT_EXCEEDED}: the call may be repeated later. */
  public static BitloomException exhausted(Exhausted limit) {
    String message =
        String.format(
            Locale.ROOT,
            "%s has reached its limit of %,d %s (%s), %,d are used; try again in %s",
            limit.subject(),
            limit.value(),
            limit.limit().replace('_', ' '),
            limit.limit().replace('_', '-'),
            limit.used(),
            Settings.text(limit.retryAfter()));
    return exhausted(limit, message);
  }

  /** {@link ErrorCode#LIMIT_EXCEEDED} in words of its own. */
  public static BitloomException exhausted(Exhausted limit, String message) {
    return new BitloomException(ErrorCode.LIMIT_EXCEEDED, message, List.of(), limit, null);
  }

  /** {@link ErrorCode#INVALID_FIELD} for one field; the message says what it has to be. */
  public static BitloomException invalid(String field, Object value, String message) {
    return invalid(List.of(FieldViolation.of(field, value, message)));
  }

  /** {@link ErrorCode#INVALID_FIELD} for at least one violation; the first one is the message. */
  public static BitloomException invalid(List<FieldViolation> violations) {
    String more = violations.size() > 1 ? " (and " + (violations.size() - 1) + " more)" : "";
    return new BitloomException(
        ErrorCode.INVALID_FIELD, violations.get(0) + more, violations, null);
  }

  public ErrorCode code() {
    return code;
  }

  /** The limit that was reached, if it is one that a later call may be within. */
  public Optional<Exhausted> exhausted() {
    return Optional.ofNullable(exhausted);
  }

  /** The fields that are to blame; empty if none is. */
  public List<FieldViolation> violations() {
    return violations;
  }
}
