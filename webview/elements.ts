import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTag,
} from '@vscode/webview-ui-toolkit';

/**
 * The panel's own elements. `@vscode/webview-ui-toolkit` is archived upstream: nothing else may import it, so that a
 * successor is a change of this file.
 */

provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeProgressRing(),
  vsCodeTag(),
);

export interface ButtonLook {
  readonly title?: string;
  readonly kind?: 'primary' | 'secondary';
}

export function makeButton(label: string, onPress: () => void, look: ButtonLook = {}): HTMLElement {
  const button = document.createElement('vscode-button');
  button.textContent = label;
  button.setAttribute('appearance', look.kind ?? 'secondary');
  if (look.title !== undefined) button.title = look.title;
  button.addEventListener('click', onPress);
  return button;
}

export function makeTag(): HTMLElement {
  return document.createElement('vscode-tag');
}

export function makeRing(): HTMLElement {
  const ring = document.createElement('vscode-progress-ring');
  ring.setAttribute('aria-hidden', 'true');
  return ring;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

const CHOICES_AT_ONCE = 20;

/** A list to choose one from. */
export interface Select {
  readonly element: HTMLElement;
  value: string;
  setChoices(choices: readonly Choice[]): void;
}

export function makeSelect(label: string, onChoose: (value: string) => void): Select {
  const dropdown = document.createElement('vscode-dropdown') as HTMLElement & { value: string };
  dropdown.setAttribute('aria-label', label);
  let known = '';
  let wanted = '';
  dropdown.addEventListener('change', () => {
    wanted = dropdown.value;
    onChoose(wanted);
  });
  /** Some at a time: each is an element with a style and a tree of its own, and a network may have hundreds of layers. */
  const addChoices = (choices: readonly Choice[], from: number, key: string): void => {
    if (key !== known) return;
    dropdown.append(
      ...choices.slice(from, from + CHOICES_AT_ONCE).map((choice) => {
        const option = document.createElement('vscode-option');
        option.setAttribute('value', choice.value);
        option.textContent = choice.label;
        option.toggleAttribute('selected', choice.value === wanted);
        return option;
      }),
    );
    const next = from + CHOICES_AT_ONCE;
    if (next < choices.length) setTimeout(addChoices, 0, choices, next, key);
    // The list knows its options only after this task.
    else
      setTimeout(() => {
        if (wanted !== '') dropdown.value = wanted;
      });
  };
  return {
    element: dropdown,
    get value() {
      return dropdown.value;
    },
    set value(value: string) {
      wanted = value;
      dropdown.value = value;
    },
    setChoices(choices) {
      const key = JSON.stringify(choices);
      if (key === known) return;
      known = key;
      dropdown.replaceChildren();
      addChoices(choices, 0, key);
    },
  };
}

/** An element with a class and children. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  element.append(...children);
  return element;
}
