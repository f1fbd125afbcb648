package io.bitloom.coordinator.webhooks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TargetsTest {

  private final Targets none = new Targets(List.of());

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.3",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:a9fe:a9fe",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1"
      })
  void anAddressThatIsNotPublicIsRefused(String address) throws UnknownHostException {
    assertFalse(Targets.isPublic(InetAddress.getByName(address)));
    String host = address.contains(":") ? "[" + address + "]" : address;
    assertTrue(none.problem("https://" + host + "/").isPresent());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.0.0.1",
        "128.0.0.1",
        "169.253.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.0.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2a00:1450::1"
      })
  void aPublicOneIsNot(String address) throws UnknownHostException {
    assertTrue(Targets.isPublic(InetAddress.getByName(address)));
    String host = address.contains(":") ? "[" + address + "]" : address;
    assertEquals(Optional.empty(), none.problem("https://" + host + "/hook?a=b"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ftp://example.com/ | must be an http or https URL",
        "example.com | must be an http or https URL",
        "//example.com/ | must be an http or https URL",
        "file:///etc/passwd | must be an http or https URL",
        "gopher://example.com/ | must be an http or https URL",
        "http:///x | must have the name or the address of a host",
        "http:example.com | must have the name or the address of a host",
        "http://user:password@example.com/ | must not have a user or a password",
        "http://127.0.0.1@example.com/ | must not have a user or a password",
        "http://example.com#@10.0.0.1/ | must not have a fragment",
        "http://example.com:0/ | must have a port of 1 to 65535",
        "http://example.com:65536/ | must have a port of 1 to 65535",
        "http://exa mple.com/ | must have ASCII characters only",
        "http://exämple.com/ | must have ASCII characters only",
        "http://example.com\\@10.0.0.1/ | must be an http or https URL",
        "http://[fe80::1%25eth0]/ | must have the name or the address of a host",
        "http://under_score.example/ | must have the name or the address of a host",
        "http://localhost/ | must have a public host, or one that the operator allows"
            + " (--webhook-allow)",
        "https://LocalHost:8443/ | must have a public host, or one that the operator allows"
            + " (--webhook-allow)",
        "https://a.localhost/ | must have a public host, or one that the operator allows"
            + " (--webhook-allow)",
      })
  void whatAUrlLacksIsSaid(String url, String problem) {
    assertEquals(problem, none.problem(url).orElse("nothing"));
  }

  @Test
  void aUrlIsNotEndless() {
    assertTrue(none.problem("https://example.com/" + "a".repeat(2028)).isEmpty());
    assertEquals(
        "must have at most 2048 characters",
        none.problem("https://example.com/" + "a".repeat(2029)).get());
    assertTrue(none.problem("https://example.com/a\r\nHost: evil").isPresent());
  }

  @Test
  void theOperatorAllowsHostsAddressesAndNetworks() {
    Targets some = new Targets(List.of("10.1.0.0/16", "::1", "127.0.0.1", "Hooks.internal"));
    for (String url : List.of("http://10.1.2.3/", "http://[::1]:80/", "http://127.0.0.1/")) {
      assertTrue(some.problem(url).isEmpty(), url);
    }
    for (String url : List.of("http://10.2.0.1/", "http://127.0.0.2/", "http://localhost/")) {
      assertTrue(some.problem(url).isPresent(), url);
    }
    assertTrue(some.allow(Receiver.parse("http://hooks.INTERNAL/"), address("192.168.0.1")));
    assertFalse(some.allow(Receiver.parse("http://hooks.other/"), address("192.168.0.1")));
  }

  /** Some spellings of addresses are names to us, which a resolver takes for addresses. */
  @ParameterizedTest
  @ValueSource(strings = {"2130706433", "127.1", "0177.0.0.1", "0x7f.0.0.1", "localhost"})
  void aHostIsJudgedByTheAddressesThatItHas(String host) {
    Targets lenient = new Targets(List.of("x")); // so that the name itself passes
    try (Lookup lookup = new Lookup(name -> new InetAddress[] {address("127.0.0.1")}, lenient)) {
      Receiver receiver = new Receiver(false, host, 80, "/");
      String why =
          assertThrows(
                  CompletionException.class,
                  () -> lookup.address(receiver, 0).toCompletableFuture().join())
              .getCause()
              .getMessage();
      assertEquals("the host is not public, and not allowed (--webhook-allow)", why);
    }
  }

  @Test
  void oneBadAddressAmongGoodOnesIsEnoughToRefuseAHost() {
    InetAddress[] mixed = {address("1.1.1.1"), address("169.254.169.254")};
    try (Lookup lookup = new Lookup(name -> mixed, none)) {
      Receiver receiver = Receiver.parse("https://example.com/");
      for (int turn = 0; turn < 2; turn++) {
        int now = turn;
        assertThrows(
            CompletionException.class,
            () -> lookup.address(receiver, now).toCompletableFuture().join());
      }
    }
  }

  @Test
  void everyAddressOfAHostHasItsTurn() {
    InetAddress[] two = {address("1.1.1.1"), address("1.0.0.1")};
    try (Lookup lookup = new Lookup(name -> two, none)) {
      Receiver receiver = Receiver.parse("https://example.com/");
      assertEquals(two[0], lookup.address(receiver, 0).toCompletableFuture().join());
      assertEquals(two[1], lookup.address(receiver, 1).toCompletableFuture().join());
      assertEquals(two[0], lookup.address(receiver, 2).toCompletableFuture().join());
    }
  }

  private static InetAddress address(String text) {
    try {
      return InetAddress.getByName(text);
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }
}
