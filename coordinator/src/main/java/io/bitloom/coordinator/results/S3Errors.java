package io.bitloom.coordinator.results;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.config.S3Config;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** What the AWS SDK throws, in the words of a result store. */
final class S3Errors {

  private static final int MOVED = 301;
  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;

  private S3Errors() {}

  /** Whether there is no such object, or no such bucket. */
  static boolean notFound(SdkException error) {
    return error instanceof S3Exception refused && refused.statusCode() == NOT_FOUND;
  }

  /** A call failed that can succeed later. */
  static BitloomException unavailable(String what, SdkException error) {
    return new BitloomException(
        ErrorCode.RESULT_STORE_UNAVAILABLE, what + ": " + message(error), error);
  }

  /**
   * The bucket cannot be used as it is configured; unlike {@link #unavailable}, waiting does not
   * help.
   *
   * @param what the step that failed
   */
  static RuntimeException atStart(S3Config config, String what, SdkException error) {
    String location = config.location();
    if (!(error instanceof S3Exception refused)) {
      String where = config.endpoint().map(endpoint -> " at " + endpoint).orElse("");
      return unavailable("cannot " + what + " " + location + where, error);
    }
    return switch (refused.statusCode()) {
      case NOT_FOUND -> new ConfigException("results", location, "must name a bucket that exists");
      case FORBIDDEN ->
          new ConfigException(
              "results",
              location,
              "must be a bucket that these credentials may "
                  + what
                  + " (S3 says "
                  + message(error)
                  + ")");
      case MOVED ->
          new ConfigException(
              "s3-region",
              config.region().orElse(""),
              "must be the region of the bucket, " + region(refused));
      default -> unavailable("cannot " + what + " " + location, error);
    };
  }

  private static String region(S3Exception error) {
    Map<String, List<String>> headers = error.awsErrorDetails().sdkHttpResponse().headers();
    return headers.getOrDefault("x-amz-bucket-region", List.of("which S3 does not tell")).get(0);
  }

  private static String message(SdkException error) {
    if (error instanceof S3Exception refused && refused.awsErrorDetails() != null) {
      String code = refused.awsErrorDetails().errorCode();
      return refused.statusCode() + (code == null ? "" : " " + code);
    }
    return error.getMessage();
  }
}
