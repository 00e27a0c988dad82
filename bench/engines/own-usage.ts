/** CPU time and peak memory of this process, all threads. */
export function ownUsage(): { cpuSeconds: number; peakRssBytes: number } {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakRssBytes: maxRSS * 1024 };
}
