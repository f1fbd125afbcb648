package io.bitloom.coordinator.webhooks;

import io.bitloom.coordinator.config.Network;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which hosts may be called. Without a word of the operator, those whose addresses are public: what
 * is in a network of one's own, or in this machine, may trust whoever can reach it, and a client
 * who names a receiver must not reach it through us.
 */
public final class Targets {

  /**
   * Not public, by IANA's registry of special-purpose addresses of version 4 and RFC 5771
   * (multicast).
   */
  private static final List<Network> SPECIAL_V4 =
      networks(
          "0.0.0.0/8",
          "10.0.0.0/8",
          "100.64.0.0/10",
          "127.0.0.0/8",
          "169.254.0.0/16",
          "172.16.0.0/12",
          "192.0.0.0/24",
          "192.0.2.0/24",
          "192.88.99.0/24",
          "192.168.0.0/16",
          "198.18.0.0/15",
          "198.51.100.0/24",
          "203.0.113.0/24",
          "224.0.0.0/4",
          "240.0.0.0/4");

  /** All public addresses of version 6 are in here (RFC 4291); loopback, NAT64, ULA… are not. */
  private static final List<Network> UNICAST_V6 = networks("2000::/3");

  /** But not these: Teredo and other protocols, 6to4, which has addresses of version 4 in it. */
  private static final List<Network> SPECIAL_V6 =
      networks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20");

  private final Set<String> hosts;
  private final List<Network> allowed;

  /**
   * @param allow hosts, addresses and networks that may be called although they are not public
   */
  public Targets(List<String> allow) {
    this.allowed = allow.stream().map(Network::parse).flatMap(Optional::stream).toList();
    this.hosts =
        allow.stream()
            .filter(text -> Network.parse(text).isEmpty())
            .map(host -> host.toLowerCase(Locale.ROOT))
            .collect(Collectors.toUnmodifiableSet());
  }

  private static List<Network> networks(String... texts) {
    return Stream.of(texts).map(text -> Network.parse(text).orElseThrow()).toList();
  }

  /**
   * What is wrong with a URL, as far as it says so itself; of a host with a name, {@link
   * #allow(Receiver, InetAddress)} says the rest when its addresses are known. Looks nothing up.
   *
   * @return what it must be; empty if nothing is wrong
   */
  public Optional<String> problem(String url) {
    Receiver receiver;
    try {
      receiver = Receiver.parse(url);
    } catch (IllegalArgumentException e) {
      return Optional.of(e.getMessage());
    }
    String host = receiver.host();
    Optional<InetAddress> literal = Network.parse(host).map(Network::address);
    boolean here = host.equals("localhost") || host.endsWith(".localhost");
    boolean refused =
        literal.isPresent() ? !allow(receiver, literal.get()) : here && !hosts.contains(host);
    return refused
        ? Optional.of("must have a public host, or one that the operator allows (--webhook-allow)")
        : Optional.empty();
  }

  /** Whether a receiver may be called at an address that its host has. */
  boolean allow(Receiver receiver, InetAddress address) {
    return hosts.contains(receiver.host())
        || isPublic(address)
        || allowed.stream().anyMatch(network -> network.contains(address));
  }

  static boolean isPublic(InetAddress address) {
    return address instanceof Inet4Address
        ? !isIn(SPECIAL_V4, address)
        : isIn(UNICAST_V6, address) && !isIn(SPECIAL_V6, address);
  }

  private static boolean isIn(List<Network> networks, InetAddress address) {
    return networks.stream().anyMatch(network -> network.contains(address));
  }
}
