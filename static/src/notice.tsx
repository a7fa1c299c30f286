/** What the page has to say above its panes. */

export interface News {
  text: string;
  undo?: () => void;
}

export function Notice({ news: { text, undo }, onClose }: { news: News; onClose: () => void }) {
  return (
    <div class="notice notice-plain" role="status">
      <span class="notice-text">{text}</span>
      {undo && (
        <button
          type="button"
          class="quiet-button"
          onClick={() => {
            undo();
            onClose();
          }}
        >
          Undo
        </button>
      )}
      <button type="button" class="quiet-button" onClick={onClose}>
        Close
      </button>
    </div>
  );
}
