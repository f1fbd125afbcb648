package io.bitloom.coordinator.queue;

import io.bitloom.common.error.BitloomException;
import java.util.regex.Pattern;

/** Resource names of jobs, {@code jobs/{job}}. */
public final class JobNames {

  private static final String COLLECTION = "jobs/";
  private static final Pattern NAME = Pattern.compile(COLLECTION + "[A-Za-z0-9_-]{1,64}");

  private JobNames() {}

  /** The resource name of a job. */
  public static String of(String jobId) {
    return COLLECTION + jobId;
  }

  /**
   * The id in a resource name.
   *
   * @throws BitloomException {@code INVALID_FIELD} if the text is not the name of a job
   */
  public static String id(String field, String name) {
    if (!NAME.matcher(name).matches()) {
      throw BitloomException.invalid(field, name, "must be the name of a job, jobs/{job}");
    }
    return name.substring(COLLECTION.length());
  }
}
