package io.bitloom.coordinator.config;

import java.util.Optional;

/**
 * Where images are kept.
 *
 * @param fsync whether an image in the directory is on the disk before its result is visible
 * @param s3 a bucket to keep them in; empty: the coordinator's directory
 */
public record ResultsConfig(boolean fsync, Optional<S3Config> s3) {

  private static final String DIRECTORY = "directory";

  static final Setting<String> RESULTS =
      Setting.text(
          "results",
          "WHERE",
          DIRECTORY,
          "Where images are kept: {default} (default; below --data) or s3://BUCKET/PREFIX.");
  static final Setting<Boolean> NO_FSYNC =
      Setting.flag("no-fsync-results", "Do not wait for the disk before a result is visible.");

  static ResultsConfig of(SettingValues values) {
    String where = values.get(RESULTS);
    Optional<S3Config> s3 =
        where.equals(DIRECTORY)
            ? Optional.empty()
            : Optional.of(S3Config.of(where, S3Server.of(values)));
    return new ResultsConfig(!values.get(NO_FSYNC), s3);
  }
}
