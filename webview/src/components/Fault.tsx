/** What is wrong, in place of what a page would show. */
export function Fault({ words }: { words: string }) {
  return (
    <div class="message" role="alert">
      <p>{words}</p>
    </div>
  );
}
