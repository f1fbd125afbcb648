package io.bitloom.client.cli;

import picocli.CommandLine.ITypeConverter;

/**
 * A job as people name it: {@code jobs/abc} or {@code abc}.
 *
 * @param resource {@code jobs/abc}
 */
record JobName(String resource) {

  private static final String COLLECTION = "jobs/";

  /** Completes a job's name. */
  static final class Converter implements ITypeConverter<JobName> {
    @Override
    public JobName convert(String value) {
      return new JobName(value.startsWith(COLLECTION) ? value : COLLECTION + value);
    }
  }
}
