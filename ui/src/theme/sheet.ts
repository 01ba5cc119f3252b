/** The style sheet, by the part of the surface that it draws. Adopted, so that no page's CSP is in its way. */
import { base } from './base';
import { composer } from './composer';
import { conversation } from './conversation';
import { markdown } from './markdown';
import { surface } from './surface';

export const sheet = [base, surface, conversation, markdown, composer];
