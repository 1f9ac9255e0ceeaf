import type { ReportData } from './data.ts';
import { environment, page } from './page.ts';
import { architectureSection } from './sections/architecture.ts';
import { tilesOf, verdictOf } from './sections/headline.ts';
import { environmentSection, policySection } from './sections/policy.ts';
import { dataSection, reproduceSection } from './sections/reproduce.ts';
import { resultsSection } from './sections/results.ts';
import { samplesSection } from './sections/samples.ts';
import { searchSection } from './sections/search.ts';
import { supernetSection } from './sections/supernet.ts';
import { trialsSection } from './sections/trials.ts';

/**
 * A study as one HTML file that needs nothing else: no network and no font; a script sorts the trials, and nothing needs it.
 * Everything that came from outside (names of classes, files, reasons of failures) is escaped.
 */
export async function renderReport(data: ReportData): Promise<string> {
  const { strategy, space, createdAt, finished } = data;
  return page({
    title: data.name,
    about: `${strategy} search · ${space.name}${space.isCode === true ? '' : ` · ${data.data.name}`} · started ${date(createdAt)}${finished ? '' : ' · still running or stopped early'}`,
    version: data.versions.netsmith ?? '',
    tiles: tilesOf(data),
    verdict: verdictOf(data),
    sections: [
      resultsSection(data),
      policySection(data),
      samplesSection(data),
      supernetSection(data),
      searchSection(data),
      await architectureSection(data),
      trialsSection(data),
      space.isCode === true ? undefined : (environmentSection(data) ?? dataSection(data)),
      reproduceSection(data),
      environment(data.versions),
    ],
  });
}

function date(moment: number): string {
  return `${new Date(moment).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
