// Answers may overtake one another on their way: one to what was asked earlier never takes the place of a newer one.

/**
 * `const asks = inOrder()` for one thing that is shown; `const news = asks()` when it is asked for; `news()`, once the answer is
 * there, is false where a newer one came first. What comes unasked is as good as asked for when it came: `asks()()`.
 */
export function inOrder() {
  let asked = 0, shown = 0;
  return () => {
    const mine = ++asked;
    return () => {
      if (mine <= shown) return false;
      shown = mine;
      return true;
    };
  };
}
