package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.net.MaskedUri;
import java.net.URI;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A bucket of Amazon S3, or of a server that speaks its protocol. Credentials are found by the AWS
 * SDK: environment, files, container, instance.
 *
 * @param prefix of all keys; empty, or ends in a slash
 */
public record S3Config(String bucket, String prefix, S3Server server) {

  static final String BUCKET = "[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]";

  private static final Pattern LOCATION =
      Pattern.compile("s3://(" + BUCKET + ")(?:/([A-Za-z0-9._/-]*))?");

  /**
   * Reads the settings.
   *
   * @param location {@code s3://BUCKET} or {@code s3://BUCKET/PREFIX}
   * @throws ConfigException naming the key of the first bad value
   * @see S3Server#of(String, String, boolean)
   */
  public static S3Config of(String location, String endpoint, String region, boolean pathStyle) {
    return of(location, S3Server.of(endpoint, region, pathStyle));
  }

  static S3Config of(String location, S3Server server) {
    Matcher matcher = LOCATION.matcher(location);
    if (!matcher.matches()) {
      throw new ConfigException(
          ResultsConfig.RESULTS.name(),
          MaskedUri.of(location),
          "must be directory or s3://BUCKET/PREFIX");
    }
    String prefix = matcher.group(2) == null ? "" : matcher.group(2);
    return new S3Config(
        matcher.group(1), prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/", server);
  }

  /** The bucket with its prefix, as it is given. */
  public String location() {
    return "s3://" + bucket + "/" + prefix;
  }

  public Optional<URI> endpoint() {
    return server.endpoint();
  }

  public Optional<String> region() {
    return server.region();
  }

  public boolean pathStyle() {
    return server.pathStyle();
  }
}
