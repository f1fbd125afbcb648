package io.bitloom.coordinator.http;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.auth.Tenants;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;

/**
 * Lets callers in by their token: as a bearer token, or as the password of basic authentication,
 * which is what browsers ask people for.
 */
final class HttpAccess {

  private static final String TOKEN = "token";

  private final Tenants tenants;

  HttpAccess(Tenants tenants) {
    this.tenants = tenants;
  }

  /** For what the gRPC services check again: any tenant. */
  void everybody(RoutingContext context) {
    if (identify(context) != null) {
      context.next();
    }
  }

  /** For what shows all tenants. */
  void operators(RoutingContext context) {
    Caller caller = identify(context);
    if (caller != null && !caller.is(Caller.Role.OPERATOR)) {
      HttpErrors.send(
          context,
          new BitloomException(
              ErrorCode.PERMISSION_DENIED,
              "this token may not do that: it lacks the role operator"));
    } else if (caller != null) {
      context.next();
    }
  }

  /** The token that a caller showed; null if there is none. */
  static String token(RoutingContext context) {
    return context.get(TOKEN);
  }

  /** Null if the answer has been given already. */
  private Caller identify(RoutingContext context) {
    String token = shown(context.request().getHeader("Authorization"));
    try {
      Caller caller = tenants.caller(token);
      context.put(TOKEN, token);
      return caller;
    } catch (BitloomException e) {
      context
          .response()
          .putHeader("WWW-Authenticate", "Basic realm=\"Bitloom: a token as password\"");
      HttpErrors.send(context, e);
      return null;
    }
  }

  private static String shown(String authorization) {
    String[] words = authorization == null ? new String[0] : authorization.strip().split(" +");
    if (words.length != 2) {
      return null;
    }
    return switch (words[0].toLowerCase(Locale.ROOT)) {
      case "bearer" -> words[1];
      case "basic" -> password(words[1]);
      default -> null;
    };
  }

  private static String password(String encoded) {
    try {
      String pair = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
      return pair.substring(pair.indexOf(':') + 1);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
