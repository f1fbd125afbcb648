package io.bitloom.coordinator.http.bridge;

import io.bitloom.common.error.BitloomException;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The header by which gRPC's clients say how long they wait: {@code 5S}, {@code 250m}. */
final class GrpcTimeout {

  private static final String HEADER = "grpc-timeout";
  private static final Pattern TIMEOUT = Pattern.compile("(\\d{1,8})([HMSmun])");

  private GrpcTimeout() {}

  /**
   * @throws BitloomException {@code INVALID_FIELD} if the header is no time
   */
  static Optional<Duration> of(HttpServerRequest request) {
    String header = request.getHeader(HEADER);
    if (header == null) {
      return Optional.empty();
    }
    Matcher matcher = TIMEOUT.matcher(header);
    if (!matcher.matches()) {
      throw BitloomException.invalid(
          HEADER, header, "must be up to eight digits and one of H, M, S, m, u, n");
    }
    ChronoUnit unit =
        switch (matcher.group(2)) {
          case "H" -> ChronoUnit.HOURS;
          case "M" -> ChronoUnit.MINUTES;
          case "S" -> ChronoUnit.SECONDS;
          case "m" -> ChronoUnit.MILLIS;
          case "u" -> ChronoUnit.MICROS;
          default -> ChronoUnit.NANOS;
        };
    return Optional.of(Duration.of(Long.parseLong(matcher.group(1)), unit));
  }
}
