package io.bitloom.coordinator.config;

import java.util.Optional;

/**
 * Where images are kept.
 *
 * @param fsync whether an image in the directory is on the disk before its result is visible
 * @param s3 a bucket to keep them in; empty: the coordinator's directory
 */
public record ResultsConfig(boolean fsync, Optional<S3Config> s3) {

  /** The coordinator's directory, on the disk before a result is visible. */
  public static final ResultsConfig DEFAULTS = new ResultsConfig(true, Optional.empty());
}
