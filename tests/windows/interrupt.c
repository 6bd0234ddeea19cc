/* interrupt MILLISECONDS PROGRAM ARGUMENT...: runs a program in a console of its own, sends Ctrl-C to that console after
   some time, and ends with the program's exit code. Rust's standard library cannot send it. */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

int wmain(int count, wchar_t **words) {
    if (count < 3) return 99;
    wchar_t line[8192] = L"";
    for (int i = 2; i < count; i++) {
        wcscat(line, i > 2 ? L" \"" : L"\"");
        wcscat(line, words[i]);
        wcscat(line, L"\"");
    }
    STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    FreeConsole();
    AllocConsole();
    PROCESS_INFORMATION child;
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) {
        fprintf(stderr, "interrupt: cannot start %ls: error %lu\n", words[2], GetLastError());
        return 98;
    }
    SetConsoleCtrlHandler(NULL, TRUE); /* after the start: a child inherits that Ctrl-C is ignored */
    if (WaitForSingleObject(child.hProcess, _wtoi(words[1])) == WAIT_TIMEOUT
        && !GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) {
        fprintf(stderr, "interrupt: cannot send Ctrl-C: error %lu\n", GetLastError());
        TerminateProcess(child.hProcess, 97);
    }
    WaitForSingleObject(child.hProcess, INFINITE);
    DWORD code = 96;
    GetExitCodeProcess(child.hProcess, &code);
    return (int)code;
}
