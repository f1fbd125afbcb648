package io.bitloom.common.net;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The names by which an HTTP port is known. A page of a stranger can let its own name lead to this
 * machine (DNS rebinding): browsers then take the port for a part of that page's site, and let it
 * read and change all. What they say in {@code Host} and {@code Origin} tells such pages.
 *
 * <p>Every IP address is known, since no name leads there: a page that is called by an address came
 * from that very address.
 */
public final class KnownHosts {

  private static final String LOCALHOST = "localhost";
  private static final Pattern IPV4 = Pattern.compile("[0-9.]+");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9.-]*[A-Za-z][A-Za-z0-9.-]*");

  private final Set<String> names = new HashSet<>();
  private final Set<String> given;

  /**
   * @param bind what the port listens on, a name or an address
   * @param others by which it is called, too
   */
  public KnownHosts(String bind, List<String> others) {
    given = Set.copyOf(others.stream().map(KnownHosts::lowerCase).toList());
    names.add(LOCALHOST);
    names.add(lowerCase(bind));
    names.addAll(given);
  }

  /** Whether a text is the name of a host, with no port. */
  public static boolean isName(String text) {
    return NAME.matcher(text).matches();
  }

  /**
   * Whether a request means this port.
   *
   * @param authority what stands in {@code Host}; null if there is none
   */
  public boolean know(String authority) {
    URI uri = parse("http://" + authority);
    return authority != null && uri != null && (isAddress(uri) || names.contains(host(uri)));
  }

  /**
   * Whether a page that sends a request came from this port.
   *
   * @param origin what stands in {@code Origin}
   * @param authority what stands in {@code Host}, and is known
   */
  public boolean isOurs(String origin, String authority) {
    URI page = parse(origin);
    URI here = parse("http://" + authority);
    return page != null
        && here != null
        && (given.contains(host(page))
            || (host(page).equals(host(here)) && page.getPort() == here.getPort()));
  }

  /** Null if it is none, or has more than a host and a port. */
  private static URI parse(String text) {
    try {
      URI uri = new URI(text);
      boolean plain = uri.getHost() != null && uri.getUserInfo() == null && uri.getPath().isEmpty();
      return plain && uri.getQuery() == null && uri.getFragment() == null ? uri : null;
    } catch (URISyntaxException e) {
      return null;
    }
  }

  /** A host of digits and dots is an address: Java takes no other for a host. */
  private static boolean isAddress(URI uri) {
    return uri.getHost().startsWith("[") || IPV4.matcher(uri.getHost()).matches();
  }

  private static String host(URI uri) {
    return lowerCase(uri.getHost());
  }

  private static String lowerCase(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
