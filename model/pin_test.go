package model

import "testing"

func TestAPinIsReadAsPeopleHaveIt(t *testing.T) {
	const want = Pin("sha256//zzUFkCNCZNm26AzVVVVVYgsc0WPQNyT7J4Gn8FXBQg=")
	for _, text := range []string{
		"sha256//zzUFkCNCZNm26AzVVVVVYgsc0WPQNyT7J4Gn8FXBQg=",  // ours
		"sha256///zzUFkCNCZNm26AzVVVVVYgsc0WPQNyT7J4Gn8FXBQg=", // curl's
		"/zzUFkCNCZNm26AzVVVVVYgsc0WPQNyT7J4Gn8FXBQg=",
		"/zzUFkCNCZNm26AzVVVVVYgsc0WPQNyT7J4Gn8FXBQg",
		"ff3cd416408d099366dba03355555555882c73458f40dc93ec9e069fc1570508",
		"FF:3C:D4:16:40:8D:09:93:66:DB:A0:33:55:55:55:55:88:2C:73:45:8F:40:DC:93:EC:9E:06:9F:C1:57:05:08",
	} {
		got, err := ParsePin(text)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestWhatIsNoHashOfAKeyIsNoPin(t *testing.T) {
	for _, text := range []string{"", "sha256/", "md5/zzUFkCNCZNm26AzVVVVVYg==", "sha256/zzUFkCNCZNm26AzVVVVVYgsc0WPQNyT7J4Gn8FX", "FF:3C", "zz" + "ff3cd416408d099366dba03355555555882c73458f40dc93ec9e069fc1570508"[2:]} {
		if got, err := ParsePin(text); err == nil {
			t.Errorf("%q became %q", text, got)
		}
	}
}
