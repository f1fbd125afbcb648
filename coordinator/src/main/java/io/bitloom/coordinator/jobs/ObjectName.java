package io.bitloom.coordinator.jobs;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An object in S3. */
public record ObjectName(String bucket, String key) {

  private static final Pattern URI =
      Pattern.compile("s3://([A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])/(.+)");
  private static final int MAX_BYTES = 1024;

  /** Segments that mean another object to some servers than they say. */
  private static final Pattern AMBIGUOUS = Pattern.compile("(^|/)(\\.{0,2})(/|$)");

  /** The object that {@code s3://BUCKET/KEY} names; empty if it is no such name, or ambiguous. */
  static Optional<ObjectName> parse(String uri) {
    Matcher matcher = URI.matcher(uri);
    if (uri.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES || !matcher.matches()) {
      return Optional.empty();
    }
    String key = matcher.group(2);
    boolean clear =
        key.codePoints().noneMatch(Character::isISOControl) && !AMBIGUOUS.matcher(key).find();
    return clear ? Optional.of(new ObjectName(matcher.group(1), key)) : Optional.empty();
  }

  @Override
  public String toString() {
    return "s3://" + bucket + "/" + key;
  }
}
