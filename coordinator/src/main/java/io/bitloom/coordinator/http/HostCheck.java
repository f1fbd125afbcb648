package io.bitloom.coordinator.http;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.net.KnownHosts;
import io.bitloom.coordinator.config.ListenConfig;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;

/**
 * Refuses requests of pages that are neither this port's own, see {@link KnownHosts}, nor of sites
 * that the operator names.
 */
final class HostCheck {

  private final KnownHosts hosts;
  private final Cors cors;

  HostCheck(KnownHosts hosts, Cors cors) {
    this.hosts = hosts;
    this.cors = cors;
  }

  void check(RoutingContext context) {
    HttpServerRequest request = context.request();
    String host = request.authority() == null ? null : request.authority().toString();
    if (!hosts.know(host)) {
      throw refused(
          "this port is not called \""
              + FieldViolation.shown(host == null ? "" : host)
              + "\": call it by its IP address or localhost, or name that host with "
              + ListenConfig.ALLOWED_HOSTS.option());
    }
    String origin = request.getHeader("Origin");
    if (origin != null
        && !hosts.isOurs(origin, host)
        && !cors.allows(origin, context.normalizedPath())) {
      throw refused(
          "a page of "
              + FieldViolation.shown(origin)
              + " may not call this port: see "
              + ListenConfig.CORS.option());
    }
    context.next();
  }

  private static BitloomException refused(String why) {
    return new BitloomException(ErrorCode.PERMISSION_DENIED, why);
  }
}
