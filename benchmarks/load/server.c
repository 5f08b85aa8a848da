/* What the kernel tells of the measured processes, and of this one. */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load.h"

static double cpu_seconds_of(int pid)
{
    char path[64], stat[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    stat[fread(stat, 1, sizeof stat - 1, file)] = 0;
    fclose(file);
    const char *name_end = strrchr(stat, ')');
    if (name_end) sscanf(name_end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

/* A line of smaps_rollup in MB: "Rss:", "Pss:". */
static double memory_of(int pid, const char *name)
{
    char path[64], line[256];
    unsigned long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file)) {
        if (!strncmp(line, name, strlen(name))) sscanf(line + strlen(name), "%lu", &kilobytes);
    }
    fclose(file);
    return kilobytes / 1024.0;
}

struct figures server_figures(void)
{
    struct figures figures = { 0 };
    for (int i = 0; i < options.pid_count; i++) {
        figures.cpu_seconds += cpu_seconds_of(options.pids[i]);
        figures.rss_mb += memory_of(options.pids[i], "Rss:");
        figures.pss_mb += memory_of(options.pids[i], "Pss:");
    }
    return figures;
}

double own_cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
