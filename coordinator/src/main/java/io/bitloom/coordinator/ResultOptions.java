package io.bitloom.coordinator;

import io.bitloom.coordinator.config.ResultsConfig;
import io.bitloom.coordinator.config.S3Config;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options that say where images are kept. */
final class ResultOptions {

  private static final String DIRECTORY = "directory";

  @Option(
      names = "--results",
      paramLabel = "WHERE",
      defaultValue = "${env:BITLOOM_RESULTS:-directory}",
      description =
          "Where images are kept: directory (default; below --data) or s3://BUCKET/PREFIX.")
  private String results;

  @Option(
      names = "--s3-endpoint",
      paramLabel = "URL",
      defaultValue = "${env:BITLOOM_S3_ENDPOINT:-}",
      description = "Of an S3 server that is not Amazon's; workers must reach it too.")
  private String s3Endpoint;

  @Option(
      names = "--s3-region",
      paramLabel = "NAME",
      defaultValue = "${env:BITLOOM_S3_REGION:-}",
      description = "Region of the bucket (default: AWS_REGION, or as the AWS SDK finds it).")
  private String s3Region;

  @Option(
      names = "--s3-path-style",
      defaultValue = "${env:BITLOOM_S3_PATH_STYLE:-false}",
      description = "The bucket is in the path and not in the host name; most own servers need it.")
  private boolean s3PathStyle;

  @Option(
      names = "--no-fsync-results",
      negatable = true,
      description = "Do not wait for the disk before a result is visible.")
  private boolean noFsyncResults;

  /**
   * @throws io.bitloom.common.config.ConfigException naming the first bad option
   */
  ResultsConfig config() {
    Optional<S3Config> s3 =
        results.equals(DIRECTORY)
            ? Optional.empty()
            : Optional.of(S3Config.of(results, s3Endpoint, s3Region, s3PathStyle));
    return new ResultsConfig(!noFsyncResults, s3);
  }
}
