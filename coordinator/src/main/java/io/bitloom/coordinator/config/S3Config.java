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
 * @param endpoint of another server than Amazon's
 * @param region blank: as the AWS SDK finds it
 * @param pathStyle whether the bucket is a part of the path, and not of the host name
 */
public record S3Config(
    String bucket,
    String prefix,
    Optional<URI> endpoint,
    Optional<String> region,
    boolean pathStyle) {

  static final Setting<String> ENDPOINT =
      Setting.text(
          "s3-endpoint",
          "URL",
          "",
          "Of an S3 server that is not Amazon's; workers must reach it too.");
  static final Setting<String> REGION =
      Setting.text(
          "s3-region",
          "NAME",
          "",
          "Region of the bucket (default: AWS_REGION, or as the AWS SDK finds it).");
  static final Setting<Boolean> PATH_STYLE =
      Setting.flag(
          "s3-path-style",
          "The bucket is in the path and not in the host name; most own servers need it.");

  private static final Pattern LOCATION =
      Pattern.compile("s3://([A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])(?:/([A-Za-z0-9._/-]*))?");

  /**
   * Reads the settings.
   *
   * @param location {@code s3://BUCKET} or {@code s3://BUCKET/PREFIX}
   * @param endpoint a URL; blank: Amazon's
   * @param region blank: as the AWS SDK finds it
   * @throws ConfigException naming the key of the first bad value
   */
  public static S3Config of(String location, String endpoint, String region, boolean pathStyle) {
    Matcher matcher = LOCATION.matcher(location);
    if (!matcher.matches()) {
      throw new ConfigException(
          ResultsConfig.RESULTS.name(),
          MaskedUri.of(location),
          "must be directory or s3://BUCKET/PREFIX");
    }
    String prefix = matcher.group(2) == null ? "" : matcher.group(2);
    return new S3Config(
        matcher.group(1),
        prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/",
        Optional.of(endpoint).filter(url -> !url.isBlank()).map(S3Config::endpoint),
        Optional.of(region).filter(name -> !name.isBlank()),
        pathStyle);
  }

  private static URI endpoint(String url) {
    if (!url.matches("https?://[^/?#@]+/?")) {
      throw new ConfigException(
          ENDPOINT.name(), MaskedUri.of(url), "must be a URL such as https://HOST:PORT");
    }
    return URI.create(url);
  }

  /** The bucket with its prefix, as it is given. */
  public String location() {
    return "s3://" + bucket + "/" + prefix;
  }
}
