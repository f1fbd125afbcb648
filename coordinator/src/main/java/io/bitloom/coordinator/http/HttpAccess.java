package io.bitloom.coordinator.http;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.coordinator.http.json.HttpErrors;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Lets callers in by their token: as a bearer token, or as the password of basic authentication,
 * which is what browsers ask people for.
 */
final class HttpAccess {

  private static final String CALLER = "caller";

  private final Tenants tenants;

  HttpAccess(Tenants tenants) {
    this.tenants = tenants;
  }

  /** Anybody with a token. */
  void everybody(RoutingContext context) {
    if (identify(context) != null) {
      context.next();
    }
  }

  /** For what shows a tenant's own jobs. */
  void clients(RoutingContext context) {
    only(context, Caller.Role.CLIENT, Caller.Role.OPERATOR);
  }

  /** For what shows all tenants. */
  void operators(RoutingContext context) {
    only(context, Caller.Role.OPERATOR);
  }

  /** Lets those in who have one of these roles. */
  private void only(RoutingContext context, Caller.Role... roles) {
    Caller caller = identify(context);
    if (caller == null) {
      return;
    }
    if (Stream.of(roles).anyMatch(caller::is)) {
      context.next();
    } else {
      HttpErrors.send(
          context,
          new BitloomException(
              ErrorCode.PERMISSION_DENIED,
              "this token may not do that: it lacks the role "
                  + roles[0].name().toLowerCase(Locale.ROOT)));
    }
  }

  /**
   * A page of another site can send neither a bearer token nor such a header without being asked
   * for permission first. What browsers add of themselves, the password of basic authentication, it
   * can.
   */
  static void fromOurPages(RoutingContext context) {
    if (!isBearer(context) && context.request().getHeader("X-Bitloom") == null) {
      throw new BitloomException(
          ErrorCode.PERMISSION_DENIED,
          "a change needs a bearer token or the header X-Bitloom, with any value, which pages of"
              + " others cannot send");
    }
    context.next();
  }

  private static boolean isBearer(RoutingContext context) {
    String authorization = context.request().getHeader("Authorization");
    return authorization != null && words(authorization)[0].equalsIgnoreCase("bearer");
  }

  /** The token that a request shows; null if there is none. */
  static String token(RoutingContext context) {
    return shown(context.request().getHeader("Authorization"));
  }

  /** Who was let in. */
  static Caller caller(RoutingContext context) {
    return context.get(CALLER);
  }

  /** Null if the answer has been given already. */
  private Caller identify(RoutingContext context) {
    try {
      Caller caller = tenants.caller(token(context));
      context.put(CALLER, caller);
      return caller;
    } catch (BitloomException e) {
      HttpErrors.send(context, e);
      return null;
    }
  }

  private static String shown(String authorization) {
    String[] words = authorization == null ? new String[0] : words(authorization);
    if (words.length != 2) {
      return null;
    }
    return switch (words[0].toLowerCase(Locale.ROOT)) {
      case "bearer" -> words[1];
      case "basic" -> password(words[1]);
      default -> null;
    };
  }

  private static String[] words(String authorization) {
    return authorization.strip().split(" +");
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
