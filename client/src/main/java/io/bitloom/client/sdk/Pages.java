package io.bitloom.client.sdk;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;

/**
 * Goes through a paged list, fetching each page when it is needed.
 *
 * @param <R> response with one page
 * @param <T> what is listed
 */
final class Pages<R, T> implements Iterator<T> {

  private final Function<String, R> fetch;
  private final Function<R, String> nextToken;
  private final Function<R, List<T>> items;
  private Iterator<T> page = Collections.emptyIterator();
  private String token = "";
  private boolean atEnd;

  /**
   * @param fetch fetches the page of a token; the first token is empty
   * @param nextToken the token of the page after one; empty on the last page
   * @param items the items of a page
   */
  Pages(Function<String, R> fetch, Function<R, String> nextToken, Function<R, List<T>> items) {
    this.fetch = fetch;
    this.nextToken = nextToken;
    this.items = items;
  }

  @Override
  public boolean hasNext() {
    while (!page.hasNext() && !atEnd) {
      R fetched = fetch.apply(token);
      page = items.apply(fetched).iterator();
      token = nextToken.apply(fetched);
      atEnd = token.isEmpty();
    }
    return page.hasNext();
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return page.next();
  }
}
